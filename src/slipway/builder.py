"""The images of one checkout for one environment: what goes into them, and the images themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from .images import Images
from .inputs import Inputs
from .measuring import Measuring
from .monorepo import Workshop
from .runtime import Made, Runtime


@dataclass(frozen=True)
class Builder:
    """Describes images; the engine builds them when something of them is read.

    Attributes:
        workshop: The workspace, with the values that its builds get.
        labels: OCI labels of every image.
    """

    workshop: Workshop
    labels: Mapping[str, str]

    async def inputs(self) -> dict[str, Inputs]:
        """What each image is made of, by its name; nothing is built."""
        return await Measuring(self.workshop).inputs()

    async def images(self, inputs: Mapping[str, Inputs]) -> list[Made]:
        """Every image, none built yet; each says what it is made of.

        Args:
            inputs: What `inputs` returned.
        """
        images = await Images(await Runtime.prepared(self.workshop, self.labels)).all()
        return [_labelled(image, inputs[image.name]) for image in images]


def _labelled(image: Made, inputs: Inputs) -> Made:
    container = image.container
    for name, value in inputs.labels.items():
        container = container.with_label(name, value)
    return replace(image, container=container)
