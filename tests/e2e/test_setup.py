"""`setup` on a bare Debian 13 under systemd: what it prepares, a second time, and its firewall."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from ci.lab import authority, settings
from ci.lab.bare_server import BareServer
from ci.lab.server_disk import HOSTS
from slipway.server import ssh
from slipway.server.perform import Performer
from slipway.server.routing import Router
from slipway.server.ssh import ServerError
from slipway.server.steps import Run, Stage, Write
from slipway.setup import plan
from slipway.setup.firewall import rules
from slipway.setup.found import Found
from slipway.setup.proxy import Proxy
from slipway.setup.setup import Setup
from slipway.setup.wanted import Wanted
from tests.e2e.site import API, WEB, Site, example_site, public_names
from tests.e2e.tiny import push

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The example, and a server that nobody has set up."""
    folder = tmp_path_factory.mktemp("setup")
    with example_site(folder, "e2e-setup", drain=1, kind=BareServer) as made:
        authority.issue(authority.load(settings.load().authority), made.path, *HOSTS)
        yield made


@pytest.fixture(scope="module")
def prepared(site: Site) -> str:
    """What the first set-up said, by an administrator who is not root."""
    return site.called(*COMMAND, "--admin", "admin")


@pytest.fixture(scope="module")
def wanted(site: Site) -> Wanted:
    """What `setup` wants of the server, for calls within this process."""
    operator = site.operator()
    deploy = replace(operator.address, user="deploy")
    public = site.server.key.with_suffix(".pub").read_text().strip()
    return Wanted(
        admin=replace(deploy, user="root"),
        admin_key=operator.key,
        deploy=deploy,
        deploy_key=operator.key,
        public_key=public,
        site=operator.site.name,
        proxy=Proxy(),
        certificate=(site.path / "server.crt").read_text(),
        certificate_key=(site.path / "server.key").read_text(),
    )


# Contents, owners and permissions of what is set up, the containers, and the rules.
STATE = """
find /etc /home -xdev -type f -newer /etc/hostname ! -path '*/acme/*' -exec stat -c '%n %a %U %Y' {} + | sort
docker ps --format '{{.ID}} {{.Names}}'
nft list table inet slipway
"""
KEY = "/home/deploy/proxy/dynamic/mindfulspace--staging.key"
SUBNET = "{{range .IPAM.Config}}{{.Subnet}}{{end}}"
DAEMON = "docker info --format '{{.LoggingDriver}}'"
# As if each had been written a moment ago, over what was there before.
CUT = """
set -e
cp /etc/docker/daemon.json /root/daemon.json
sed -i 's/"log-driver": "local"/"log-driver": "json-file"/' /etc/docker/daemon.json
systemctl restart docker
cp /root/daemon.json /etc/docker/daemon.json
touch /run/slipway-sshd.pending
sed -i 's/^Description=/&Former /' /etc/systemd/system/slipway-firewall.service
systemctl daemon-reload
sed -i 's/^Description=Former /Description=/' /etc/systemd/system/slipway-firewall.service
"""
COMMAND = (
    "setup",
    "--certificate=server.crt",
    "--certificate-key=file:server.key",
)


async def test_a_bare_server_is_prepared_and_deployed_to(
    site: Site, prepared: str, wanted: Wanted
) -> None:
    """Everything is there that a deploy wants; nothing that it would refuse."""
    assert "deploy@" in prepared
    assert "is set up" in prepared
    tiny = await asyncio.to_thread(push, site, 1)
    operator = replace(site.operator(), address=wanted.deploy)
    with public_names(site.server.address):
        await site.deployment(tiny.target("first"), operator).deploy(lambda _: None)
    for url in (f"{API}/health", f"{WEB}/health"):
        assert (await site.status(url))[0] == 200


async def test_some_hundred_sites_find_room_for_their_networks(site: Site, prepared: str) -> None:
    """Docker's own pools end near thirty: a site's network comes from ours, and is no larger than it has to be."""
    assert prepared
    inspect = f"docker network inspect --format '{SUBNET}' mindfulspace--staging--internal"
    network = ipaddress.IPv4Network(site.server.ssh(inspect).strip())
    assert network.subnet_of(ipaddress.IPv4Network("172.24.0.0/13"))
    assert network.num_addresses == 256


async def test_a_second_time_nothing_is_changed(site: Site, prepared: str, wanted: Wanted) -> None:
    """Not a file, not a container, not a rule."""
    assert prepared
    before = site.server.ssh(STATE)
    said = await Setup(wanted).run(lambda _: None)
    assert "nothing was changed" in said
    assert site.server.ssh(STATE) == before
    assert "nothing to change" in await Setup(wanted, dry_run=True).run(lambda _: None)


async def test_what_is_missing_comes_back_alone(site: Site, prepared: str, wanted: Wanted) -> None:
    """A key that was taken out, a file that others may read, a proxy that was stopped."""
    assert prepared
    site.server.ssh(
        "gpasswd --delete deploy docker; : >/home/deploy/.ssh/authorized_keys; "
        f"chmod 644 {KEY}; docker stop proxy-traefik-1"
    )
    lines: list[str] = []
    await Setup(wanted).run(lines.append)
    assert [line for line in lines if not line.startswith(" ")] == [
        "user deploy",
        "proxy",
        "log in as deploy",
    ]
    assert site.server.ssh(f"stat -c %a {KEY}").strip() == "600"


async def test_what_was_written_and_not_read_yet_is_read(
    site: Site, prepared: str, wanted: Wanted
) -> None:
    """A set-up that was cut off behind daemon.json, sshd's file and the firewall's unit."""
    assert prepared
    site.server.ssh(CUT)
    assert "json-file" in site.server.ssh(DAEMON)
    before = site.server.ssh("docker ps --quiet")
    lines: list[str] = []
    await Setup(wanted).run(lines.append)
    assert [line for line in lines if not line.startswith(" ")] == [
        "Docker",
        "SSH",
        "firewall",
        "log in as deploy",
    ]
    assert "local" in site.server.ssh(DAEMON)
    assert site.server.ssh("docker ps --quiet") == before
    assert "nothing was changed" in await Setup(wanted).run(lambda _: None)


def reaches(site: Site, port: int) -> bool:
    """Whether a port of the server takes connections."""
    try:
        socket.create_connection((site.server.address, port), timeout=2).close()
    except OSError:
        return False
    return True


async def test_the_firewall_lets_in_ssh_and_the_web_alone(site: Site, prepared: str) -> None:
    """Also after a restart of the server, with the proxy and the site."""
    assert prepared
    site.server.restart()
    listen = (
        "systemd-run --quiet --unit=listener systemd-socket-activate --listen=8888 --accept cat"
    )
    site.server.ssh(f"{listen}; systemctl is-active --wait slipway-firewall.service")
    # The proxy comes back with Docker, which takes its time on a busy machine.
    site.server.ssh(
        "timeout 60 sh -c 'until ss -Hltn | grep -q :8888 && ss -Hltn | grep -q :443; do sleep 0.2; done'"
    )
    assert [port for port in (22, 443, 8888) if reaches(site, port)] == [22, 443]
    site.server.ssh("nft delete table inet slipway")
    assert reaches(site, 8888)
    site.server.ssh("systemctl restart slipway-firewall.service")


def locking(wanted: Wanted, seconds: int) -> Stage:
    """The firewall's stage with rules that forget SSH, and a short time to prove them."""
    stages = plan.plan(Found(), wanted)
    write, attempt, *others = next(one for one in stages if one.title == "firewall").steps
    assert isinstance(write, Write)
    assert isinstance(attempt, Run)
    tried = replace(attempt, command=(*attempt.command[:-1], str(seconds)))
    undo = next(one for one in stages if one.title == "firewall").undo
    return Stage("firewall", (replace(write, text=rules([2222])), tried, *others), undo)


async def test_rules_that_forget_ssh_are_taken_back(
    site: Site, prepared: str, wanted: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was proved before is in force again."""
    assert prepared
    monkeypatch.setattr(ssh, "CONNECT_SECONDS", 2)
    async with ssh.connect(wanted.admin, wanted.admin_key) as server:
        performer = Performer(server, Router(wanted.admin.host), lambda _: None)
        with pytest.raises(ServerError, match="cannot be reached"):
            await performer.stages((locking(wanted, 60),))
    assert [port for port in (22, 443, 8888) if reaches(site, port)] == [22, 443]
    assert "2222" not in site.server.ssh("nft list table inet slipway")


async def test_the_server_takes_them_back_itself_where_nobody_is_left_to(
    site: Site, prepared: str, wanted: Wanted
) -> None:
    """After the time that there is to prove them."""
    assert prepared
    stage = locking(wanted, 3)
    async with ssh.connect(wanted.admin, wanted.admin_key) as server:
        performer = Performer(server, Router(wanted.admin.host), lambda _: None)
        await performer.stages((Stage("firewall", stage.steps[:2]),))
    assert not reaches(site, 22)
    for _ in range(20):
        if reaches(site, 22):
            break
        await asyncio.sleep(0.5)
    assert "2222" not in site.server.ssh("nft list table inet slipway")
