"""The models that locate things in pictures: a segmentation model, or the patch features of an encoder."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Literal, Protocol, TypeAlias

from PIL import Image

from core.errors import SightlineError, WeightsChanged
from core.space import Space
from encoders import clipseg, registry
from encoders.base import Encoder
from encoders.placement import DEFAULT_PLACEMENT, Placement
from encoders.prompts import Prompt
from encoders.segmenter import Maps, Segmenter
from search.highlight.patch_similarity import PatchSimilarityEngine

__all__ = ["EngineName", "HighlightEngine", "SegmentationEngine", "choose_engine", "load_engine"]

EngineName: TypeAlias = Literal["auto", "segment", "relevance"]


class HighlightEngine(Protocol):
    """Computes where in a picture a prompt is."""

    @property
    def name(self) -> str:
        """The method: `segment` or `relevance`."""

    @property
    def model(self) -> str:
        """The name of the model."""

    def maps(self, image: Image.Image, prompts: Sequence[Prompt]) -> Maps:
        """Return a map over `image` (upright, sRGB) for each of P prompts: (P, H, W) in 0..1; 0.5 counts as found."""

    def truncation_limit(self, text: str) -> int | None:
        """Return how many tokens of `text` the model reads if it is too long; None if it reads all of them."""


class SegmentationEngine:
    """Maps of a segmentation model: the probability of each pixel."""

    name: Literal["segment"] = "segment"

    def __init__(self, segmenter: Segmenter) -> None:
        self.segmenter = segmenter

    @property
    def model(self) -> str:
        """The name of the segmentation model."""
        return self.segmenter.name

    def maps(self, image: Image.Image, prompts: Sequence[Prompt]) -> Maps:
        """Return the probabilities of each pixel, (P, H, W)."""
        return self.segmenter.segment(image, prompts)

    def truncation_limit(self, text: str) -> int | None:
        """Return how many tokens of `text` the model reads if it is too long; None if it reads all of them."""
        return self.segmenter.truncation_limit(text)


def choose_engine(
    name: EngineName = "auto", *, model: str | None = None, segmenter: str | None = None
) -> Literal["segment", "relevance"]:
    """Return the engine that `name` stands for, without loading anything.

    `auto` is `segment` if a segmentation model is named, or if the default one is installed and no encoder is named.
    """
    if name != "auto":
        return name
    return "segment" if segmenter is not None or (model is None and clipseg.has_segmenter()) else "relevance"


def load_engine(
    name: EngineName = "auto",
    *,
    model: str | None = None,
    segmenter: str | None = None,
    space: Space | None = None,
    placement: Placement = DEFAULT_PLACEMENT,
) -> HighlightEngine:
    """Load the engine that `choose_engine` returns.

    `relevance` uses the patch features of `model`. Without a name, these are the ones of the model of `space` (the
    active space of a library), or of the built-in model if there is no space or its model has no patch features.

    Raises `ModelUnavailable` for a named model that is not installed or has no patch features, and `UnknownModel`.
    """
    if choose_engine(name, model=model, segmenter=segmenter) == "segment":
        return SegmentationEngine(clipseg.load_segmenter(segmenter or clipseg.DEFAULT_SEGMENTER, placement))
    if model is not None:
        return PatchSimilarityEngine(registry.load(model, placement))
    if space is not None:
        with suppress(SightlineError):
            return PatchSimilarityEngine(_load_near(space, placement))
    return PatchSimilarityEngine(registry.load(registry.DEFAULT_MODEL, placement))


def _load_near(space: Space, placement: Placement) -> Encoder:
    """Return the encoder of `space`, or its model with other weights: highlights use no stored vectors."""
    try:
        return registry.load_for_space(space, placement)
    except WeightsChanged:
        return registry.load(space.model, placement)
