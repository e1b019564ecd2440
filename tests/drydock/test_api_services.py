"""Services on a real daemon, through the SDK's own client."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import socket
import threading
import urllib.request
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import dagger
import pytest

from drydock import services
from drydock.buildkit import BuildKit
from drydock.engine import Engine
from drydock.progress import Progress, View
from drydock.session import Session
from drydock.workspace import find_workspace

pytestmark = pytest.mark.engine

BASE = "debian:bookworm-slim"
NODE = "node:22-bookworm-slim"
FETCH = "fetch(process.argv[1]).then(r => r.text()).then(t => process.stdout.write(t))"


def serving(dag: dagger.Client, script: str, *ports: int) -> dagger.Container:
    """A container whose default command is a program for Node, with ports exposed."""
    made = dag.container().from_(NODE).with_default_args(["node", "-e", script])
    for port in ports:
        made = made.with_exposed_port(port)
    return made


def site(dag: dagger.Client, text: str, port: int = 80) -> dagger.Service:
    """A web server that answers with a text."""
    script = f"require('http').createServer((q, r) => r.end({text!r})).listen({port}, '0.0.0.0')"
    return serving(dag, script, port).as_service()


def asking(dag: dagger.Client) -> dagger.Container:
    """A container whose commands are never in the cache."""
    return dag.container().from_(NODE).with_env_variable("RUN", uuid.uuid4().hex)


def fetching(client: dagger.Container, url: str) -> dagger.Container:
    """What a container gets from a URL, as its standard output."""
    return client.with_exec(["node", "-e", FETCH, url])


@contextlib.asynccontextmanager
async def new_session(address: str, folder: Path) -> AsyncIterator[dagger.Client]:
    """The SDK's own client, connected to a session that nobody else uses."""
    engine = Engine(BuildKit(Progress(View()), lambda: address), folder)
    session = Session(engine, find_workspace(folder))
    with pytest.MonkeyPatch.context() as patch:
        async with session.serve():
            for name, value in session.environment().items():
                patch.setenv(name, value)
            async with dagger.connection():
                yield dagger.dag
    await engine.close()


def read(url: str) -> str:
    """What this machine gets from a URL."""
    with urllib.request.urlopen(url, timeout=3) as answer:
        return str(answer.read().decode())


def free_port() -> int:
    """A port of loopback that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def web_port() -> Iterator[int]:
    """The port of a web server of this machine, on loopback alone; it answers with the path."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f"host says {self.path}".encode())

        def log_message(self, *_args: object) -> None:
            """Nothing to tell."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


# -- bound to execs --------------------------------------------------------------------------------------------------


async def test_one_instance_serves_every_alias_of_equal_recipes(dag: dagger.Client) -> None:
    """Bound twice and made twice, it is started once."""
    script = """const n = Math.random()
        require('http').createServer((q, r) => r.end(`${n} ${q.headers.host}`)).listen(80)"""
    first, second = (serving(dag, script, 80).as_service() for _ in range(2))
    client = asking(dag).with_service_binding("one", first).with_service_binding("two", second)
    answers = [
        (await fetching(client, f"http://{name}").stdout()).split() for name in ("one", "two")
    ]
    assert [host for _number, host in answers] == ["one", "two"]
    assert answers[0][0] == answers[1][0]
    assert await fetching(client, f"http://{await first.hostname()}").stdout()


def test_an_exec_is_cached_by_its_services_recipe(daemon_address: str, client_folder: Path) -> None:
    """In the next session too, where the service is not even started; another recipe is another run."""
    text, volume = uuid.uuid4().hex, uuid.uuid4().hex

    async def stamp(text: str) -> tuple[str, str]:
        """In a session of its own: what an exec printed that is bound to a service, and what was started."""
        async with new_session(daemon_address, client_folder) as dag:
            starts = dag.cache_volume(volume)
            script = f"""require('fs').appendFileSync('/starts/all', '{text} ')
                require('http').createServer((q, r) => r.end()).listen(80)"""
            service = serving(dag, script, 80).with_mounted_cache("/starts", starts).as_service()
            client = dag.container().from_(NODE).with_service_binding("site", service)
            asks = "fetch('http://site').then(() => console.log(Date.now()))"
            printed = await client.with_exec(["node", "-e", asks]).stdout()
            started = asking(dag).with_mounted_cache("/starts", starts)
            return printed, await started.with_exec(["cat", "/starts/all"]).stdout()

    first, started = asyncio.run(stamp(text))
    assert started == f"{text} "
    assert asyncio.run(stamp(text)) == (first, started)
    other, started = asyncio.run(stamp(text + "-other"))
    assert other != first
    assert started == f"{text} {text}-other "


async def test_names_reach_every_user_and_keep_those_of_the_container(dag: dagger.Client) -> None:
    """The hosts file has loopback, the container's own name and the services, for root and for others."""
    client = asking(dag).with_service_binding("site", site(dag, "hello"))
    for user, mode in (("root", "644"), ("1000:1000", "666")):
        shown = client.with_user(user).with_exec(
            ["sh", "-c", "cat /etc/hosts; getent hosts $(hostname); stat -c %a /etc/hosts"]
        )
        hosts, _, rest = (await shown.stdout()).partition("\n")
        assert hosts.startswith("127.0.0.1\tlocalhost ")
        assert "\tsite " in rest
        assert rest.endswith(f"\n{mode}\n")
        assert await fetching(client.with_user(user), "http://site").stdout() == "hello"


async def test_an_image_without_a_hosts_file_gets_names_too(dag: dagger.Client) -> None:
    """And one where a symbolic link is in its place; neither is changed."""
    odd = dag.container().from_(NODE).without_file("/etc/hosts")
    linked = odd.with_symlink("../run/hosts", "/etc/hosts")
    for image in (odd, linked):
        bound = image.with_env_variable("RUN", uuid.uuid4().hex).with_service_binding(
            "site", site(dag, "hello")
        )
        ran = fetching(bound, "http://site")
        assert await ran.stdout() == "hello"
        assert not await ran.exists("/run/hosts")


async def test_services_use_services(dag: dagger.Client) -> None:
    """A chain of three; each is started for the next."""
    inner = site(dag, "inner")
    for depth in range(2):
        script = f"""require('http').createServer((q, r) =>
            fetch('http://next').then(a => a.text()).then(t => r.end('{depth} ' + t))).listen(80)"""
        inner = serving(dag, script, 80).with_service_binding("next", inner).as_service()
    client = asking(dag).with_service_binding("outer", inner)
    assert await fetching(client, "http://outer").stdout() == "1 0 inner"


async def test_a_datagram_port_is_served(dag: dagger.Client) -> None:
    """Readiness is that of the TCP ports."""
    echo = """const s = require('dgram').createSocket('udp4')
        s.on('message', (m, from) => s.send('echo ' + m, from.port, from.address)); s.bind(5353)
        require('net').createServer().listen(80)"""
    service = (
        serving(dag, echo, 80)
        .with_exposed_port(5353, protocol=dagger.NetworkProtocol.UDP)
        .as_service()
    )
    asks = """const s = require('dgram').createSocket('udp4')
        s.on('message', m => { console.log(`${m}`); s.close() }); s.send('hi', 5353, 'echo')"""
    client = asking(dag).with_service_binding("echo", service)
    assert await client.with_exec(["node", "-e", asks]).stdout() == "echo hi\n"


async def test_what_a_bound_exec_leaves_is_used_without_the_service(dag: dagger.Client) -> None:
    """Files, mounted directories and further execs of it."""
    client = (
        asking(dag)
        .with_service_binding("site", site(dag, "hello"))
        .with_mounted_directory("/out", dag.directory())
    )
    ran = client.with_exec(["node", "-e", "require('fs').writeFileSync('/out/a', 'x')"])
    ran = ran.with_exec(["cp", "/out/a", "/b"])
    assert await ran.directory("/out").entries() == ["a"]
    assert await ran.file("/b").contents() == "x"
    copied = dag.container().from_(BASE).with_file("/b", ran.file("/b"))
    assert await copied.with_exec(["cat", "/b"]).stdout() == "x"


# -- readiness and failure -------------------------------------------------------------------------------------------


async def test_a_service_is_ready_when_every_port_listens(dag: dagger.Client) -> None:
    """But those whose check is to be skipped."""
    slow = """require('net').createServer().listen(80)
        const late = require('http').createServer((q, r) => r.end('late'))
        setTimeout(() => late.listen(81), 1000)"""
    service = (
        serving(dag, slow, 80, 81)
        .with_exposed_port(9999, experimental_skip_healthcheck=True)
        .as_service()
    )
    client = asking(dag).with_service_binding("slow", service)
    assert await fetching(client, "http://slow:81").stdout() == "late"
    ports = [
        (await p.port(), await p.experimental_skip_healthcheck()) for p in await service.ports()
    ]
    assert ports == [(80, False), (81, False), (9999, True)]


async def test_a_health_check_of_the_image_decides_instead_of_the_ports(
    dag: dagger.Client,
) -> None:
    """It may fail a few times; when it goes on failing, its command, exit code and output are told."""
    waiting = dag.container().from_(BASE).with_default_args(["sleep", "infinity"])
    service = waiting.with_docker_healthcheck(
        ["sh", "-c", "test -e /tmp/checked || { touch /tmp/checked; exit 1; }"], interval="10ms"
    ).as_service()
    await service.start()
    failing = waiting.with_docker_healthcheck(
        ["sh", "-c", "echo 'check said no'; exit 42"], interval="10ms"
    )
    client = asking(dag).with_service_binding("www", failing.as_service()).with_exec(["true"])
    with pytest.raises(dagger.ExecError, match="health check errored: exit code: 42") as caught:
        await client.sync()
    assert caught.value.command == ["sh", "-c", "echo 'check said no'; exit 42"]
    assert caught.value.stdout == "check said no"


async def test_a_service_that_ends_too_early_fails_who_wants_it(dag: dagger.Client) -> None:
    """With its command, exit code and output; the second try as well as the first."""
    command = ["sh", "-c", "echo nope; echo why >&2; exit 42"]
    dying = (
        dag.container().from_(BASE).with_exposed_port(80).with_default_args(command).as_service()
    )
    for _ in range(2):
        with pytest.raises(dagger.ExecError) as caught:
            await dying.start()
        error = caught.value
        assert (error.command, error.exit_code) == (command, 42)
        assert (error.stdout, error.stderr) == ("nope", "why")
    host = await dying.hostname()
    for expect in (dagger.ReturnType.SUCCESS, dagger.ReturnType.ANY):
        bound = asking(dag).with_service_binding("www", dying)
        with pytest.raises(
            dagger.ExecError, match=rf"start {host} \(aliased as www\): exit code: 42"
        ) as caught:
            await bound.with_exec(["true"], expect=expect).sync()
        assert caught.value.exit_code == 42


async def test_a_service_without_a_program_says_so(dag: dagger.Client) -> None:
    """As an exec does."""
    lost = dag.container().from_(BASE).with_default_args(["no-such-program"]).as_service()
    with pytest.raises(dagger.ExecError) as caught:
        await lost.start()
    assert caught.value.exit_code == 127
    with pytest.raises(dagger.QueryError, match="no service command has been set"):
        await dag.container().as_service().id()


async def test_an_exec_does_not_outlive_its_service(dag: dagger.Client) -> None:
    """It is ended, with what became of the service; also where that one's own service was lost."""
    dying = dag.container().from_(BASE).with_default_args(["sh", "-c", "sleep 0.5; exit 42"])
    between = (
        dag.container()
        .from_(BASE)
        .with_service_binding("dep", dying.as_service())
        .with_default_args(["sleep", "60"])
        .as_service()
    )
    host = await between.hostname()
    client = asking(dag).with_service_binding("app", between).with_exec(["sleep", "60"])
    async with asyncio.timeout(20):
        with pytest.raises(dagger.QueryError) as caught:
            await client.sync()
    message = str(caught.value)
    assert f"bound service {host} (aliased as app) exited" in message
    assert "(aliased as dep) exited: exit code: 42" in message


# -- lifetime --------------------------------------------------------------------------------------------------------


async def test_start_and_stop(dag: dagger.Client) -> None:
    """Starting twice is starting once; after a stop it is a new one; stopping what does not run is no error."""
    script = (
        "const n = Math.random(); require('http').createServer((q, r) => r.end(`${n}`)).listen(80)"
    )
    service = serving(dag, script, 80).as_service()
    await service.stop()
    await service.start()
    await service.start()
    url = await service.endpoint(scheme="http")
    first = read(url)
    assert read(url) == first
    await service.stop()
    with pytest.raises(OSError, match=r"refused|unreachable|No route|timed out"):
        read(url)
    await service.start()
    assert read(await service.endpoint(scheme="http")) != first


async def test_a_service_is_stopped_when_nothing_uses_it(
    dag: dagger.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A while after the last exec that is bound to it; one that the client started stays."""
    monkeypatch.setattr(services, "GRACE", 0.2)
    script = "require('http').createServer((q, r) => r.end(require('os').hostname())).listen(80)"
    used = serving(dag, script, 80).with_env_variable("NAME", "used").as_service()
    kept = serving(dag, script, 80).with_env_variable("NAME", "kept").as_service()
    await kept.start()
    client = asking(dag).with_service_binding("used", used).with_service_binding("kept", kept)
    addresses = await client.with_exec(["getent", "hosts", "used", "kept"]).stdout()
    first, second = (line.split()[0] for line in addresses.splitlines())
    async with asyncio.timeout(20):
        while await asyncio.to_thread(answers, first):  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.05)
    assert await asyncio.to_thread(answers, second)


def answers(address: str) -> bool:
    """Whether a web server answers there."""
    try:
        return bool(read(f"http://{address}"))
    except OSError:
        return False


async def test_stopping_is_gentle_unless_told_to_kill(dag: dagger.Client) -> None:
    """SIGTERM first: the service can clean up; one that does not end for it is killed."""
    cache = dag.cache_volume(f"stop-{uuid.uuid4()}")
    script = (
        "trap 'echo gentle > /seen/how; exit' TERM; touch /tmp/up; while :; do sleep 0.05; done"
    )
    service = (
        dag.container()
        .from_(BASE)
        .with_mounted_cache("/seen", cache)
        .with_default_args(["sh", "-c", script])
        .with_docker_healthcheck(["test", "-e", "/tmp/up"], interval="10ms", retries=100)
        .as_service()
    )
    await service.start()
    await service.stop()
    seen = dag.container().from_(BASE).with_mounted_cache("/seen", cache)
    assert await seen.with_exec(["cat", "/seen/how"]).stdout() == "gentle\n"
    deaf = (
        dag.container()
        .from_(BASE)
        .with_default_args(["sh", "-c", "trap '' TERM; sleep 60 & wait; sleep 60"])
    )
    stubborn = deaf.as_service()
    await stubborn.start()
    async with asyncio.timeout(8):
        await stubborn.stop(kill=True)


async def test_what_a_service_runs(dag: dagger.Client) -> None:
    """The entrypoint counts unless the client said what to run; arguments may name variables."""
    script = (
        "require('http').createServer((q, r) => r.end(process.argv.slice(1).join(' '))).listen(80)"
    )
    made = (
        dag.container()
        .from_(NODE)
        .with_exposed_port(80)
        .with_env_variable("WORD", "word")
        .with_entrypoint(["node", "-e", script, "entry"])
    )
    cases = {
        "entry": made.as_service(),
        "entry $WORD": made.as_service(args=["$WORD"], use_entrypoint=True),
        "entry word": made.as_service(args=["$WORD"], use_entrypoint=True, expand=True),
        "args": made.as_service(args=["node", "-e", script, "args"]),
        "default": made.with_default_args(["node", "-e", script, "default"]).as_service(),
    }
    urls = await asyncio.gather(*(s.endpoint(scheme="http") for s in cases.values()))
    assert [await asyncio.to_thread(read, url) for url in urls] == list(cases)


async def test_a_service_from_a_dockerfile_with_all_capabilities(dag: dagger.Client) -> None:
    """Its command is the Dockerfile's."""
    dockerfile = f"""FROM {NODE}
EXPOSE 80
RUN echo "require('http').createServer((q, r) => r.end('mounted')).listen(80)" > /serve.js
CMD ["sh", "-c", "mount -t tmpfs none /mnt && exec node /serve.js"]
"""
    built = dag.directory().with_new_file("Dockerfile", dockerfile).docker_build()
    service = built.with_exposed_port(80).as_service(insecure_root_capabilities=True)
    assert read(await service.endpoint(scheme="http")) == "mounted"


# -- this machine and containers -------------------------------------------------------------------------------------


async def test_a_tunnel_leads_to_a_service(dag: dagger.Client) -> None:
    """To ports that are free, to those that are named, or to the same; until it is stopped."""
    service = site(dag, "through", 8080)
    named = free_port()
    tunnel = dag.host().tunnel(service, ports=[dagger.PortForward(backend=8080, frontend=named)])
    await tunnel.start()
    assert [await p.port() for p in await tunnel.ports()] == [named]
    assert await tunnel.endpoint() == f"127.0.0.1:{named}"
    answers = await asyncio.gather(
        *(asyncio.to_thread(read, f"http://127.0.0.1:{named}") for _ in range(20))
    )
    assert answers == ["through"] * 20
    free = dag.host().tunnel(service)
    await free.start()
    assert await asyncio.to_thread(read, f"http://{await free.endpoint()}") == "through"
    taken = dag.host().tunnel(service, ports=[dagger.PortForward(backend=80, frontend=named)])
    with pytest.raises(dagger.QueryError, match=rf"cannot listen on 127.0.0.1:{named}"):
        await taken.start()
    await tunnel.stop()
    with pytest.raises(OSError, match="refused"):
        read(f"http://127.0.0.1:{named}")
    with pytest.raises(dagger.QueryError, match="no ports to forward"):
        await dag.host().tunnel(serving(dag, "0").as_service()).id()


async def test_up_serves_until_the_request_is_cancelled(dag: dagger.Client) -> None:
    """Then nothing listens any more."""
    port = free_port()
    container = serving(dag, "require('http').createServer((q, r) => r.end('up')).listen(80)", 80)
    up = asyncio.create_task(container.up(ports=[dagger.PortForward(backend=80, frontend=port)]))
    async with asyncio.timeout(20):
        while True:
            try:
                assert await asyncio.to_thread(read, f"http://127.0.0.1:{port}") == "up"
                break
            except OSError:
                await asyncio.sleep(0.1)
    up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await up
    async with asyncio.timeout(10):
        while True:
            try:
                await asyncio.to_thread(read, f"http://127.0.0.1:{port}")
            except OSError:
                break
            await asyncio.sleep(0.1)


async def test_containers_reach_a_port_of_this_machine(dag: dagger.Client, web_port: int) -> None:
    """Also one on loopback alone, under another number, by alias, host name and endpoint."""
    host = dag.host().service(
        [dagger.PortForward(backend=web_port, frontend=80), dagger.PortForward(backend=web_port)]
    )
    assert [await port.port() for port in await host.ports()] == [80, web_port]
    client = asking(dag).with_service_binding("www", host)
    urls = [
        "http://www/a",
        f"http://www:{web_port}/b",
        f"http://{await host.hostname()}/c",
        f"{await host.endpoint(scheme='http')}/d",
    ]
    answers = [await fetching(client, url).stdout() for url in urls]
    assert answers == [f"host says /{name}" for name in "abcd"]
    with pytest.raises(dagger.QueryError, match="no ports specified"):
        await dag.host().service([]).id()
    nobody = dag.host().service([dagger.PortForward(backend=free_port(), frontend=80)])
    refused = fetching(asking(dag).with_service_binding("www", nobody), "http://www")
    with pytest.raises(dagger.ExecError, match="exit code: 1"):
        await refused.sync()


async def test_a_container_talks_to_a_socket_of_this_machine(
    dag: dagger.Client, session_socket: str
) -> None:
    """Owned as asked, for whoever owns it; nothing of it stays in the image."""
    source = dag.host().unix_socket(session_socket)
    client = asking(dag).with_unix_socket("/run/host.sock", source, owner="node:0")
    asks = """const c = require('net').connect('/run/host.sock', () => c.write('ping'))
        c.on('data', d => { console.log(`${d}`); c.destroy() })"""
    ran = client.with_user("node").with_exec(["node", "-e", asks])
    assert await ran.stdout() == "pong to ping\n"
    shown = client.with_exec(["stat", "-c", "%a %U", "/run/host.sock"])
    assert await shown.stdout() == "600 node\n"
    without = shown.without_unix_socket("/run/host.sock").with_exec(["ls", "/run"])
    assert "host.sock" not in await without.stdout()
    with pytest.raises(dagger.QueryError, match="is not a socket"):
        await dag.host().unix_socket("no-such-socket").id()


@pytest.fixture
def session_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A socket that answers what it gets."""
    path = str(tmp_path_factory.mktemp("s") / "s")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()

        def answer() -> None:
            while True:
                try:
                    conn, _ = listener.accept()
                except OSError:
                    return
                with conn:
                    conn.sendall(b"pong to " + conn.recv(100))

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield path
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
