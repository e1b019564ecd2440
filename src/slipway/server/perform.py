"""Carries out a plan's stages: a heading for each, below it a line for each step with its seconds."""

import time
from dataclasses import dataclass, field

import anyio

from slipway.progress import Say
from slipway.report import seconds

from .hints import hints
from .masking import Mask
from .routing import Router
from .ssh import DisconnectedError, Server, ServerError, connect
from .steps import Drain, Login, Routed, Run, Stage, Step, Write
from .writing import write

_NEXT = (
    "What served still serves. Deploy again: it finishes the work and removes what was left behind."
)


@dataclass
class Performer:
    """Carries out stages on one server.

    Attributes:
        server: The server.
        router: Asks its proxy.
        say: Shows a line.
        masked: Takes secrets out of what is shown.
        timeline: Stage and seconds of each that has ended.
        results: What steps printed that belongs in the report, with their titles.
    """

    server: Server
    router: Router
    say: Say
    masked: Mask = field(default_factory=Mask)
    timeline: list[tuple[str, float]] = field(default_factory=list)
    results: list[tuple[str, str]] = field(default_factory=list)

    async def stages(self, plan: tuple[Stage, ...]) -> None:
        """Carry out a plan.

        Raises:
            ServerError: A step failed. What its stage undoes is undone; what the stages before it
                did stays, and what they had not touched still serves.
        """
        for stage in plan:
            began = time.monotonic()
            self.say(stage.title)
            try:
                for step in stage.steps:
                    await self._step(step)
            except DisconnectedError as error:
                # Nothing can be undone from here; what is half done does not serve.
                raise DisconnectedError(f"{error}, during: {stage.title}\n{_NEXT}") from error
            except Exception as error:
                # Also what nobody thought of: two releases beside each other is no end.
                text = str(error) if isinstance(error, ServerError) else f"{stage.title}: {error!r}"
                undone = await self._undo(stage)
                said = [text, *hints("\n".join([text, *undone])), *undone]
                raise ServerError(self.masked("\n".join(said))) from error
            finally:
                self.timeline.append((stage.title, time.monotonic() - began))

    async def _undo(self, stage: Stage) -> list[str]:
        """Undo a stage as far as it goes; what was printed, for the message."""
        said: list[str] = []
        for step in stage.undo:
            try:
                output = await self._step(step)
            except Exception as error:  # noqa: BLE001 - the others are undone all the same
                output = str(error) or repr(error)
            if output.strip():
                said += [f"{step.title}:", *(f"  {line}" for line in output.splitlines())]
        return said

    async def _step(self, step: Step) -> str:
        began = time.monotonic()
        try:
            output = await self._do(step)
        except Exception:
            self.say(f"  FAILED  {step.title}  {seconds(time.monotonic() - began)}")
            raise
        self.say(f"  {step.title}  {seconds(time.monotonic() - began)}")
        return output

    async def _do(self, step: Step) -> str:
        match step:
            case Run():
                done = await self.server.run(*step.command, stdin=step.stdin, seconds=step.seconds)
                output = done.checked(step.title)
                if step.reported:
                    self.results.append((step.title, self.masked(output.strip())))
                return output or done.error
            case Write():
                await write(self.server, step.path, step.text, step.mode, step.owner)
            case Routed():
                asked = Router(ca=self.router.ca) if step.public else self.router
                await asked.wait(step.url, step.release, step.seconds)
            case Login():
                async with connect(step.address, step.key) as another:
                    (await another.run(*step.command)).checked(step.title)
            case Drain():
                await anyio.sleep(step.seconds)
        return ""
