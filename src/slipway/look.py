"""What the registry has of a release already, and what has to be built: decided before anything is. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .inputs import Inputs, differing, listed
from .labels import REVISION, TITLE
from .provenance import Provenance
from .publication import Plan

if TYPE_CHECKING:
    from .registryapi import HeldImage


@dataclass(frozen=True)
class Look:
    """What one look at the registry told.

    Attributes:
        plan: What is to be pushed where.
        inputs: Image → what it is made of.
        reused: Image → what the registry has of it.
        held: Image → tag → the digest that it stands for; tags that are not there are left out.
        provenance: Image → who published it, as far as that was written down.
        notes: Sentences the reader should not miss.
    """

    plan: Plan
    inputs: Mapping[str, Inputs]
    reused: Mapping[str, "HeldImage"] = field(default_factory=dict)
    held: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    provenance: Mapping[str, Provenance] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """Images that have to be built."""
        return tuple(name for name in self.plan.repositories if name not in self.reused)

    @property
    def unwritten(self) -> tuple[str, ...]:
        """Images of which something has to be written to the registry: all of one, or a tag."""
        return tuple(
            name for name in self.plan.repositories if self.absent(name) or self._moves(name)
        )

    def absent(self, name: str) -> tuple[str, ...]:
        """The tags of an image that stay and are not there yet; what one stands for is never changed."""
        there = self.held.get(name, {})
        return tuple(tag for tag in self.plan.tags[name].staying if tag not in there)

    def tags(self, name: str) -> tuple[str, ...]:
        """The tags that stand for an image when all is done, the moving one last."""
        tags, there = self.plan.tags[name], self.held.get(name, {})
        image = self.reused.get(name)
        mine = (t for t in tags.staying if t not in there or (image and there[t] == image.digest))
        return (*mine, tags.moving)

    def _moves(self, name: str) -> bool:
        image = self.reused.get(name)
        return not image or self.held[name].get(self.plan.moving) != image.digest


@dataclass(frozen=True)
class Choice:
    """What becomes of one image.

    Attributes:
        image: What the registry has of it; None where it has to be built.
        notes: What the reader should know.
        problems: Why it is neither reused nor built.
    """

    image: "HeldImage | None" = None
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def choose(name: str, plan: Plan, wanted: Inputs, held: Mapping[str, "HeldImage | None"]) -> Choice:
    """Whether an image is reused.

    Args:
        name: The image.
        plan: What is to be pushed where.
        wanted: What it would be made of.
        held: Tag → what it stands for, of the tags that stay.
    """
    for tag in plan.tags[name].staying:
        if image := held[tag]:
            return _judged(name, f"{plan.repositories[name]}:{tag}", plan.revision, wanted, image)
    return Choice()


def refused(look: Look, name: str, tag: str, image: "HeldImage") -> str:
    """Why an image is not the one that a tag should stand for; empty where it is as good.

    Args:
        look: What is to be pushed where, and of what it is made.
        name: The image's name.
        tag: The tag.
        image: What it stands for.
    """
    where = f"{look.plan.repositories[name]}:{tag}"
    choice = _judged(name, where, look.plan.revision, look.inputs[name], image)
    return "; ".join(choice.problems)


def _judged(name: str, where: str, revision: str, wanted: Inputs, image: "HeldImage") -> Choice:
    """Whether what a tag stands for is the image that would be built."""
    try:
        made = Inputs.of(image.labels)
    except ValueError as error:
        return _wrong(where, image, f"what it says of itself is not true: {error}")
    said, title = image.labels.get(REVISION, ""), image.labels.get(TITLE, "")
    if not made and not title.endswith(f"-{name}"):
        return _wrong(where, image, "it does not say what it was made of: slipway did not make it")
    if said != revision:
        commits = f"the commit {said[:12] or 'unknown'}, not from {revision[:12]}"
        return _wrong(where, image, f"it was made from {commits}")
    if not made:
        return Choice(image, (_UNTOLD.format(name),))
    inside, outside = differing(made, wanted)
    if inside:
        return _wrong(where, image, f"it was made of something else: {listed(inside)}")
    return Choice(image, _drift(name, outside))


_UNTOLD = (
    "{} was published from this commit by slipway before 0.3, which did not write down what it was made of: it is "
    "taken as it is"
)


def _wrong(where: str, image: "HeldImage", why: str) -> Choice:
    return Choice(problems=(f"{where} is {image.digest}, and {why}",))


def _drift(name: str, outside: Sequence[str]) -> tuple[str, ...]:
    if not outside:
        return ()
    return (f"{name} stays as it was published; a new commit would get: {listed(outside)}",)
