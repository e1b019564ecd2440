"""Several definitions in BuildKit's low-level build language (LLB) as one. Pure."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection

from drydock import ops_pb2 as pb
from drydock.llb_assembly import NO_INPUT, Assembly, Lowered, Ref, Settings


class Merge(Assembly):
    """Definitions on their way into one, whose result takes those of all.

    That is usually a merge operation: BuildKit's other operations fetch every part that is only known to lie in a
    registry.
    """

    def __init__(self, without: Collection[str] = ()) -> None:
        """Begin with nothing.

        Args:
            without: Names of operations to leave out, with all that is made of them; what they take is in the result.
        """
        super().__init__(Settings(shim=""))
        self._without = without
        self._results: dict[Ref, None] = {}
        self._sources: set[str] = set()

    @property
    def results(self) -> set[Ref]:
        """What the result takes."""
        return set(self._results)

    def fs(self, fs: object) -> Ref | None:
        """Refuse: what is here is lowered already."""
        raise TypeError(f"nothing is lowered here: {fs!r}")

    def take(self, part: Lowered) -> None:
        """Add a definition, which is not empty, with what the client has to offer for it."""
        definition = pb.Definition.FromString(part.definition)
        # What an operation takes stands before it, and the result last of all.
        for raw in getattr(definition, "def"):
            self._take(raw, definition)
        for offered in ("locals", "layouts", "sockets", "secrets", "services", "execs"):
            getattr(self.result, offered).update(getattr(part, offered))
        self.result.insecure = self.result.insecure or part.insecure

    def _take(self, raw: bytes, definition: pb.Definition) -> None:
        op = pb.Op.FromString(raw)
        digest = "sha256:" + hashlib.sha256(raw).hexdigest()
        name = definition.metadata[digest].description["llb.customname"]
        kept = [i for i in op.inputs if i.digest in self._ops]
        is_result = op.WhichOneof("op") is None
        if not is_result and name not in self._without and len(kept) == len(op.inputs):
            self.keep(raw, name)
            if op.HasField("source"):
                self._sources.add(digest)
            return
        # Sources alone are not worth looking for.
        found = (Ref(i.digest, i.index) for i in kept if i.digest not in self._sources)
        self._results.update(dict.fromkeys(found))

    def finished(self, name: str) -> Lowered:
        """The definition, its result shown under a name; an empty one where nothing is left."""
        op = self.new(*self._results)
        for index in range(len(self._results)):
            op.merge.inputs.add(input=index)
        return self._finished(op, name)

    def fetched(self, name: str) -> Lowered:
        """The same with a result that is made anew each time, of nothing; all that it takes is fetched for it."""
        op = self.new(*self._results)
        made = op.file.actions.add(input=NO_INPUT, secondaryInput=NO_INPUT, output=0).mkfile
        made.path, made.mode, made.data = "/made", 0o644, secrets.token_bytes(16)
        return self._finished(op, name)

    def _finished(self, op: pb.Op, name: str) -> Lowered:
        if self._results:
            self.result.definition = self.finish(Ref(self.add(op, name), 0))
        return self.result
