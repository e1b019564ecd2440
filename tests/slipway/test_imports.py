"""A start of the module's process imports what the SDK needs to know the functions, and no more."""

import json
import subprocess
import sys

# Three starts a call: for the types, the constructor and the function. Only the last runs anything.
_STARTED = """
import json, sys
import dagger.mod.cli
before = set(sys.modules)
import slipway
for kind in slipway.Slipway.__dagger_module__._objects.values():
    kind.get_constructor()
    for function in kind.functions.values():
        function.parameters, function.return_type
print(json.dumps(sorted(set(sys.modules) - before)))
"""
_OURS = {
    "slipway",
    "slipway.errors",
    "slipway.failures",
    "slipway.given",
    "slipway.layout",
    "slipway.main",
    "slipway.release",
}


def _started() -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _STARTED], check=True, capture_output=True, text=True
    )
    return set(json.loads(done.stdout))


def test_a_start_imports_no_command_and_no_library_that_the_sdk_does_not_import() -> None:
    """Neither what builds and deploys, nor pydantic, asyncssh, cryptography, YAML and the like."""
    found = {name for name in _started() if name.partition(".")[0] not in sys.stdlib_module_names}

    assert found == _OURS
