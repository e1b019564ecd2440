"""The lab's servers: Debian 13 with SSH, Docker and Traefik, several at once."""

from __future__ import annotations

import http.client
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ci.lab import secure_registry, server_spec, settings
from ci.lab import servers as lab_servers
from ci.lab.server import Server
from ci.lab.servers import fresh_servers
from ci.lab.settings import LabError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dagger


pytestmark = pytest.mark.engine

HOST = "api.staging.mindfulspace.example"
# Of a site that answers /ping with 200.
LABELS = (
    "--label traefik.enable=true "
    f"--label 'traefik.http.routers.site.rule=Host(`{HOST}`)' "
    "--label traefik.http.services.site.loadbalancer.server.port=8080"
)


@pytest.fixture(scope="module")
def servers() -> Iterator[list[Server]]:
    """Two servers, new for these tests."""
    with fresh_servers("lab-test-1", "lab-test-2") as servers:
        yield servers


def public_status(server: Server) -> int:
    """What a server answers to a client of the site, over TLS with the site's certificate."""
    context = ssl.create_default_context(cafile=settings.load().authority / "ca.crt")
    with (
        socket.create_connection((server.address, 443), timeout=2) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as encrypted,
    ):
        encrypted.sendall(
            f"GET /ping HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()
        )
        with http.client.HTTPResponse(encrypted) as answer:
            answer.begin()
            return answer.status


def wait_for_status(server: Server, status: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            if public_status(server) == status:
                return
        except OSError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_each_has_an_address_and_a_proxy_with_the_sites_certificate(servers: list[Server]) -> None:
    """Traefik knows no site yet: 404."""
    assert len({server.address for server in servers}) == 2
    assert [public_status(server) for server in servers] == [404, 404]
    networks = servers[0].ssh("docker network ls --format '{{.Name}}'").split()
    assert "web" in networks
    assert servers[0].ssh("cat /etc/debian_version").startswith("13")
    assert servers[0].ssh("docker info --format '{{.Driver}}'").strip() == "overlay2"


def test_only_deploy_is_let_in_and_only_with_the_key(servers: list[Server]) -> None:
    """And each server has a host key of its own."""
    server = servers[0]
    command = ["ssh", "-F", str(server.ssh_config)]
    for options in (["-l", "root"], ["-o", "PubkeyAuthentication=no"]):
        done = subprocess.run(
            [*command, *options, server.name, "true"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 255
        assert "Permission denied (publickey)" in done.stderr
    keys = {known.known_hosts.read_text().split()[2] for known in servers}
    assert len(keys) == 2


async def test_it_pulls_from_the_secure_registry_with_a_login_only(
    dag: dagger.Client, servers: list[Server]
) -> None:
    """What BuildKit pushed there, under the address that both know it by; its Docker trusts the authority."""
    server = servers[0]
    registry = secure_registry.of_lab(settings.load(), server.bridge.gateway)
    secret = dag.set_secret("registry-password", registry.password)
    built = dag.container().from_("debian:trixie-slim").with_new_file("/hello", "hi")
    image = await built.with_registry_auth(registry.address, registry.user, secret).publish(
        f"{registry.address}/lab/hello:1"
    )
    with pytest.raises(LabError, match="no basic auth credentials"):
        server.ssh(f"docker pull --quiet {image}")
    server.ssh(f"docker login --username ci --password-stdin {registry.address}", registry.password)
    server.ssh(f"docker pull --quiet {image}")
    assert server.ssh(f"docker run --rm {image} cat /hello") == "hi"


def test_after_a_power_cut_it_serves_again(servers: list[Server]) -> None:
    """With the disk as it was: containers, the host key."""
    server = servers[1]
    run = "docker run --detach --restart unless-stopped --network web"
    server.ssh(f"{run} {LABELS} traefik:v3 --ping=true")
    wait_for_status(server, 200)
    known = server.known_hosts.read_text()
    server.cut()
    with pytest.raises(OSError, match=r"timed out|No route|unreachable"):
        public_status(server)
    server.start()
    assert server.known_hosts.read_text() == known
    wait_for_status(server, 200)


def test_a_restart_takes_seconds_and_root_is_at_its_console(servers: list[Server]) -> None:
    """The disk stays; a reset empties it, and brings networks and proxy back."""
    server = servers[0]
    server.ssh("touch here")
    server.restart()
    assert "here" in server.ssh("ls")
    assert server.root("id", "--user").strip() == "0"
    known = server.known_hosts.read_text()
    server.reset()
    assert "here" not in server.ssh("ls")
    assert server.known_hosts.read_text() != known
    wait_for_status(server, 404)


def test_it_reaches_this_machine_and_nothing_beyond(servers: list[Server]) -> None:
    """There is no route to the world, so that nothing waits for it."""
    server = servers[0]
    mirror = f"http://{server.bridge.gateway}:{server.config.port}/v2/"
    assert server.ssh(f"curl --silent --show-error {mirror}").strip() == "{}"
    with pytest.raises(LabError, match=r"Failed to connect|Couldn't connect"):
        server.ssh("curl --silent --show-error --max-time 5 http://192.0.2.1/")


def test_a_killed_test_leaves_nothing_behind() -> None:
    """Its server ends with it; who next has to do with servers removes what is left."""
    program = """
import time
from ci.lab.server import Server
from ci.lab.servers import fresh_servers
with fresh_servers("lab-killed") as (server,):
    print(server.name, flush=True)
    time.sleep(600)
"""
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=root
    ) as process:
        assert process.stdout is not None
        name = next(line.strip() for line in process.stdout if line.startswith("lab-killed"))
        process.kill()
    config = settings.load()
    server = lab_servers.find(name, config)
    with lab_servers.alone(config):
        pass
    assert not server.folder.exists()
    assert not Path("/run/netns", server.namespace).exists()
    assert not list(Path("/sys/fs/cgroup").glob(f"**/{server.namespace}"))
    assert str(server.folder) not in subprocess.check_output(["ps", "-eo", "args"], text=True)


def test_a_server_asks_for_no_more_than_this_machine_has() -> None:
    """Runc refuses a capability that is not there to give."""
    status = Path("/proc/self/status").read_text()
    mask = int(status.split("CapBnd:")[1].split()[0], 16)
    spec = server_spec.spec(Path("/root"), Path("/docker"), "one", "one", Server.FIRST)
    asked = spec["process"]["capabilities"]["bounding"]
    assert len(asked) == (mask & (1 << len(server_spec.CAPABILITIES)) - 1).bit_count()
    assert ("CAP_SYS_RESOURCE" in asked) == bool(mask >> 24 & 1)


def test_a_name_that_no_server_has_is_refused() -> None:
    """With the names that there are."""
    with pytest.raises(LabError, match=r"no server nowhere\. Servers: "):
        lab_servers.find("nowhere", settings.load())
