"""The graph in BuildKit's language, operation by operation."""

import hashlib
from typing import Any

from google.protobuf.json_format import MessageToDict

from drydock import ops_pb2 as pb
from drydock.graph import (
    CacheMount,
    Copy,
    Exec,
    ExecMount,
    ExecOutput,
    ExecRoot,
    Expect,
    Fs,
    FsMount,
    Image,
    Local,
    MakeDir,
    MakeFile,
    Owner,
    Remove,
    Scratch,
    SecretMount,
    SecretRef,
    Sharing,
)
from drydock.llb import lower
from drydock.llb_assembly import Settings, local_name
from drydock.llb_files import TOGETHER

DIGEST = "sha256:" + "1" * 64
DEBIAN = Image(f"docker.io/library/debian:bookworm-slim@{DIGEST}", "linux/amd64")
SETTINGS = Settings(shim="/opt/drydock")
PLATFORM = {"Architecture": "amd64", "OS": "linux"}


def operations(fs: Fs) -> list[dict[str, Any]]:
    """The operations of a definition, in order, each with its inputs as positions in this list."""
    definition = pb.Definition.FromString(lower(fs, SETTINGS).definition)
    raw = list(getattr(definition, "def"))
    position = {"sha256:" + hashlib.sha256(op).hexdigest(): n for n, op in enumerate(raw)}
    found = []
    for op in raw:
        fields = MessageToDict(pb.Op.FromString(op))
        inputs = [(position[i["digest"]], int(i.get("index", 0))) for i in fields.pop("inputs", [])]
        if fields.pop("platform", PLATFORM) == PLATFORM:
            fields.pop("constraints", None)
        found.append({**fields, "inputs": inputs})
    return found


def test_an_image_is_a_source_pinned_by_its_digest() -> None:
    """The definition ends with an operation that only names its result."""
    assert operations(DEBIAN) == [
        {
            "source": {
                "identifier": f"docker-image://docker.io/library/debian:bookworm-slim@{DIGEST}"
            },
            "inputs": [],
        },
        {"inputs": [(0, 0)]},
    ]


def test_nothing_is_no_definition() -> None:
    """BuildKit has no operation for the empty file system."""
    assert lower(Scratch(), SETTINGS).definition == b""
    assert lower(Remove(Scratch(), "/a"), SETTINGS).definition == b""


def test_a_copy_from_this_machine_takes_only_what_its_patterns_let_through() -> None:
    """Patterns go to the client, which sends nothing else; modes and times stay as they are."""
    source = Local("/src", include=("*.json",), exclude=("**/node_modules",))
    copy, name = (
        Copy(DEBIAN, source, "/", "/app", contents=True),
        local_name("/src", source.include, source.exclude),
    )
    ops = operations(copy)
    [local] = [op for op in ops if "local://" in op.get("source", {}).get("identifier", "")]
    [copied] = [op for op in ops if "file" in op]
    assert local == {
        "source": {
            "identifier": f"local://{name}",
            "attrs": {
                "local.includepattern": '["*.json"]',
                "local.excludepatterns": '["**/node_modules"]',
            },
        },
        "inputs": [],
    }
    assert copied["file"] == {
        "actions": [
            {
                "secondaryInput": "1",
                "copy": {
                    "src": "/",
                    "dest": "/app",
                    "mode": -1,
                    "followSymlink": True,
                    "dirCopyContents": True,
                    "createDestPath": True,
                    "timestamp": "-1",
                    "alwaysReplaceExistingDestPaths": True,
                },
            }
        ]
    }
    assert lower(copy, SETTINGS).locals == {name: "/src"}


def test_two_filters_of_one_folder_are_two_sources() -> None:
    """Each keeps its own state in the daemon; sharing one would send everything again each time."""
    manifests, sources = Local("/src", include=("*.json",)), Local("/src", include=("**/*.ts",))
    both = Copy(
        Copy(Scratch(), manifests, "/", "/", contents=True), sources, "/", "/", contents=True
    )
    assert len(lower(both, SETTINGS).locals) == 2


def test_an_owner_is_of_what_is_copied_alone() -> None:
    """The directories above it are made first, as root's: BuildKit would give them to the owner too."""
    fs = Copy(DEBIAN, Local("/src"), "/f", "/a/b/g", contents=False, owner=Owner(4, 5), mode=0o600)
    *_before, copied, _last = operations(fs)
    made, copy = copied["file"]["actions"]
    assert made["mkdir"]["path"] == "/a/b"
    assert copy["copy"]["owner"] == {"user": {"byID": 4}, "group": {"byID": 5}}
    assert copy["input"] == str(len(copied["inputs"]))


def test_an_exec_keeps_its_output_beside_the_root_file_system() -> None:
    """Output 0 is the root, output 1 what it printed; the shim is mounted from this machine, read-only."""
    fs = ExecRoot(Exec(DEBIAN, ("echo", "hi"), env=(("A", "b"),), cwd="/app", user="node"))
    run = next(op for op in operations(fs) if "exec" in op)
    assert run["exec"]["meta"] == {
        "args": [
            "/dev/.drydock/bin/drydock-shim",
            *("-out", "/dev/.drydock/io", "-expect", "success", "--"),
            *("echo", "hi"),
        ],
        "env": ["A=b"],
        "cwd": "/app",
        "user": "node",
        "removeMountStubsRecursive": True,
    }
    assert [
        (m["dest"], int(m.get("output", 0)), m.get("readonly", False))
        for m in run["exec"]["mounts"]
    ] == [
        ("/", 0, False),
        ("/dev/.drydock/io", 1, False),
        ("/dev/.drydock/bin", -1, True),
    ]
    assert lower(fs, SETTINGS).locals.popitem()[1] == "/opt/drydock"


def test_root_output_and_mounts_of_one_exec_are_one_operation() -> None:
    """Asking for what it printed never runs a command again."""
    mounted = FsMount("/data", MakeDir(Scratch(), "/d"), "/d")
    spec = Exec(DEBIAN, ("true",), mounts=(mounted,))
    asked = [
        next(op for op in operations(fs) if "exec" in op)
        for fs in (ExecRoot(spec), ExecOutput(spec))
    ]
    assert asked[0] == asked[1]
    last = [
        operations(fs)[-1]["inputs"][0][1]
        for fs in (ExecRoot(spec), ExecOutput(spec), ExecMount(spec, "/data"))
    ]
    assert last == [0, 1, 2]


def test_a_directory_of_this_machine_is_known_by_content_where_an_exec_may_write() -> None:
    """Else no second session would find the exec in the cache."""
    spec = Exec(DEBIAN, ("true",), mounts=(FsMount("/src", Local("/src")),))
    kinds = [next(iter(set(op) - {"inputs"}), "last") for op in operations(ExecRoot(spec))]
    assert kinds.count("file") == 5  # the copy, and the four files that hold the output


def test_caches_and_secrets_are_mounted_by_their_ids() -> None:
    """Neither is an input: they are no part of what makes the result."""
    mounts = (
        CacheMount("/store", "pnpm", Sharing.LOCKED),
        SecretMount("/run/token", SecretRef("id-1"), uid=1000, gid=1000, mode=0o400),
    )
    spec = Exec(DEBIAN, ("true",), mounts=mounts, secret_env=(("TOKEN", SecretRef("id-2")),))
    run = next(op["exec"] for op in operations(ExecRoot(spec)) if "exec" in op)
    cache, secret = (
        next(m for m in run["mounts"] if m["dest"] == d) for d in ("/store", "/run/token")
    )
    assert cache["mountType"] == "CACHE"
    assert cache["cacheOpt"] == {"ID": "pnpm", "sharing": "LOCKED"}
    assert secret["secretOpt"] == {"ID": "id-1", "uid": 1000, "gid": 1000, "mode": 256}
    assert run["secretenv"] == [{"ID": "id-2", "name": "TOKEN"}]
    assert lower(ExecRoot(spec), SETTINGS).secrets == {"id-1": "id-1", "id-2": "id-2"}


def test_the_shim_is_told_which_output_holds_secrets() -> None:
    """It hides them in what the command prints; only their names stand on its command line."""
    spec = Exec(
        DEBIAN,
        ("true",),
        mounts=(SecretMount("/run/token", SecretRef("id-1")),),
        secret_env=(("TOKEN", SecretRef("id-2")),),
        expect=Expect.ANY,
    )
    run = next(op["exec"] for op in operations(ExecRoot(spec)) if "exec" in op)
    flags = run["meta"]["args"][1 : run["meta"]["args"].index("--")]
    assert flags[2:] == ["-secret-env", "TOKEN", "-secret-file", "/run/token", "-expect", "any"]


def test_a_bound_service_is_known_by_its_recipe() -> None:
    """No address is in the definition: the shim asks the session for it when the exec runs."""
    spec = Exec(DEBIAN, ("true",), hosts=(("db", DEBIAN),))
    lowered = lower(ExecRoot(spec), SETTINGS)
    run = next(op["exec"] for op in operations(ExecRoot(spec)) if "exec" in op)
    assert "extraHosts" not in run["meta"]
    assert f"db={DEBIAN.key}" in run["meta"]["args"]
    mounted = {mount["dest"]: mount for mount in run["mounts"]}
    assert mounted["/dev/.drydock/link"]["SSHOpt"] == {"ID": "drydock", "mode": 0o666}
    assert mounted["/etc/hosts"]["selector"] == "/hosts"
    assert lowered.services == {DEBIAN.key: DEBIAN}
    mine = Exec(DEBIAN, ("true",), hosts=(("db", DEBIAN),), mounts=(FsMount("/etc/hosts", DEBIAN),))
    run = next(op["exec"] for op in operations(ExecRoot(mine)) if "exec" in op)
    assert [m["dest"] for m in run["mounts"]].count("/etc/hosts") == 1


def test_lowering_is_deterministic() -> None:
    """Equal graphs give equal bytes, or nothing would ever be cached."""

    def build() -> bytes:
        fs: Fs = DEBIAN
        for number in range(5):
            fs = MakeFile(fs, f"/d/{number}", b"x")
        return lower(ExecRoot(Exec(fs, ("true",))), SETTINGS).definition

    assert build() == build()


def test_a_chain_of_thousands_is_no_problem() -> None:
    """A loop in a module makes deep graphs; Python's stack is not."""
    fs: Fs = Scratch()
    for number in range(3000):
        fs = MakeFile(fs, f"/{number}", b"")
    assert len(operations(fs)) == 3000 // TOGETHER + 3000 % TOGETHER + 1
