"""daemon.json: the administrator's settings stay, ours are added."""

import json
from dataclasses import replace

import pytest

from slipway.errors import ConfigError
from slipway.setup.daemon import Running, forwards_ipv6, lacks, merged, running, stops

POOLS = [{"base": "172.24.0.0/13", "size": 24}]
OURS = {"live-restore": True, "log-driver": "local", "default-address-pools": POOLS}
# A daemon that has them.
NOW = Running(live_restore=True, log_driver="local", pools=frozenset({("172.24.0.0/13", 24)}))


def test_without_a_file_it_holds_our_settings() -> None:
    """Containers outlive the daemon's restart, and logs do not fill the disk."""
    assert json.loads(merged("")) == OURS


def test_what_the_administrator_set_stays() -> None:
    """A mirror is no business of ours; neither is a choice that differs from ours."""
    before = {"registry-mirrors": ["http://mirror.example"], "live-restore": False}
    assert json.loads(merged(json.dumps(before))) == {**OURS, **before}


def test_what_the_administrator_set_by_the_daemon_s_flags_stays() -> None:
    """With a setting in both places, the daemon would not start."""
    ranges = frozenset({("10.200.0.0/16", 26)})
    assert merged("", Running(live_restore=True, log_driver="journald", pools=ranges)) == ""


def test_a_node_of_a_swarm_gets_no_live_restore() -> None:
    """Docker does not start with both."""
    node = Running(log_driver="json-file", swarm=True)
    assert "live-restore" not in json.loads(merged("", node))
    assert stops(json.dumps(OURS), node)
    assert not stops(json.dumps(OURS), NOW)
    assert not stops("", node)


def test_ipv6_is_forwarded_as_ipv4_is() -> None:
    """An experiment of Docker 26; later ones do it by themselves. What the administrator says of it stays."""
    later = Running(log_driver="json-file", version=28)
    assert json.loads(merged("", ipv6=True)) == {**OURS, "ip6tables": True, "experimental": True}
    assert json.loads(merged("", later, ipv6=True)) == OURS
    assert forwards_ipv6(merged("", ipv6=True), Running())
    assert forwards_ipv6(merged("", later, ipv6=True), later)
    assert not forwards_ipv6(merged('{"ip6tables": false}', ipv6=True), Running())
    assert not forwards_ipv6(merged('{"experimental": false}', ipv6=True), Running())
    assert not forwards_ipv6(merged(""), Running())


def test_a_daemon_that_was_not_restarted_since_is_noticed() -> None:
    """Whatever of its file it lacks; a daemon that does not run reads it when it starts."""
    text = json.dumps(OURS)
    assert not lacks(text, NOW)
    assert lacks(text, replace(NOW, live_restore=False))
    assert lacks(text, replace(NOW, log_driver="json-file"))
    assert lacks(text, replace(NOW, pools=frozenset()))
    assert lacks(merged(text, ipv6=True), NOW)
    assert not lacks(text, Running())
    assert not lacks("{}", NOW)


def test_what_docker_says_is_read() -> None:
    """In its own spelling; nothing where no daemon answers."""
    said = {
        "LiveRestoreEnabled": True,
        "LoggingDriver": "local",
        "DefaultAddressPools": [{"Base": "172.24.0.0/13", "Size": 24}],
        "Swarm": {"LocalNodeState": "inactive"},
        "ServerVersion": "26.1.5",
    }
    assert running(json.dumps(said)) == replace(NOW, version=26)
    assert running(json.dumps(said | {"Swarm": {"LocalNodeState": "locked"}})).swarm
    assert running("") == Running()
    assert (
        running('{"LoggingDriver": "", "Swarm": null, "ServerErrors": ["no daemon"]}') == Running()
    )


def test_options_of_another_log_driver_keep_that_driver() -> None:
    """`local` refuses options of json-file, and the daemon would not start."""
    before = {"log-opts": {"labels": "app"}}
    assert "log-driver" not in json.loads(merged(json.dumps(before)))


def test_a_second_time_changes_no_byte() -> None:
    """Also where someone wrote it in another style."""
    spelled = '{"log-driver":"journald",\n\n "live-restore":true, "default-address-pools": []}'
    assert merged(spelled) == spelled
    assert merged(merged("")) == merged("")


@pytest.mark.parametrize("text", ['{"a": }', "[]"])
def test_a_file_that_docker_could_not_read_is_refused(text: str) -> None:
    """It is not replaced: somebody meant something by it."""
    with pytest.raises(ConfigError, match=r"daemon\.json"):
        merged(text)
