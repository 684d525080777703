"""Which engine makes a highlight: the one that is asked for, or the best that is installed."""

from typing import Literal

from encoders.placement import Placement
from search.highlight.engine import EngineName, HighlightEngine
from search.highlight.segmentation import Segmentation

__all__ = ["chosen_engine", "load_engine"]

ANYWHERE = Placement()


def chosen_engine(
    name: EngineName = "auto", *, model: str | None = None, segmenter: str | None = None
) -> Literal["segment", "relevance"]:
    """Which engine `name` is: `auto` is a segmenter if one was named, or if the default one is installed and no model
    was named; else relevance. Loads nothing."""
    from encoders import clipseg

    if name != "auto":
        return name
    return "segment" if segmenter is not None or (model is None and clipseg.has_segmenter()) else "relevance"


def load_engine(
    name: EngineName = "auto",
    *,
    model: str | None = None,
    segmenter: str | None = None,
    placement: Placement = ANYWHERE,
) -> HighlightEngine:
    """The engine that `chosen_engine` says: `segmenter`, or relevance by the cells of `model` (else the built-in one).

    Raises `ModelUnavailable` for a model that is not there or has no cells, and `UnknownModel`.
    """
    from encoders import clipseg, registry
    from search.highlight.patch_similarity import Relevance

    if chosen_engine(name, model=model, segmenter=segmenter) == "segment":
        return Segmentation(clipseg.load_segmenter(segmenter or clipseg.DEFAULT_SEGMENTER, placement))
    return Relevance(registry.load(model or registry.DEFAULT_MODEL, placement))
