"""Maps by a segmenter: a model that was trained to say where something is."""

from collections.abc import Sequence
from typing import Literal

from PIL import Image

from encoders.prompts import Prompt
from encoders.segmenter import Maps, Segmenter
from search.highlight.engine import cut

__all__ = ["Segmentation"]


class Segmentation:
    """Maps by a segmenter: probabilities of each pixel."""

    name: Literal["segment"] = "segment"

    def __init__(self, segmenter: Segmenter) -> None:
        self.segmenter = segmenter

    @property
    def model(self) -> str:
        """Which segmenter it is."""
        return self.segmenter.name

    def maps(self, image: Image.Image, prompts: Sequence[Prompt]) -> Maps:
        """As the segmenter gives them."""
        return self.segmenter.segment(image, prompts)

    def cut(self, text: str) -> int | None:
        """As the segmenter's context has it."""
        return cut(self.segmenter.count_tokens(text), self.segmenter.context_length)
