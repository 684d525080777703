"""Which engine makes a highlight: the one that is asked for, or the best that is installed."""

from encoders.placement import Placement
from search.highlight.engine import EngineName, HighlightEngine
from search.highlight.segmentation import Segmentation

__all__ = ["load_engine"]

ANYWHERE = Placement()


def load_engine(
    name: EngineName = "auto",
    *,
    model: str | None = None,
    segmenter: str | None = None,
    placement: Placement = ANYWHERE,
) -> HighlightEngine:
    """The engine called `name`. `auto` takes a segmenter if one was named, or if the default one is installed and no
    model was named; else relevance, by the cells of `model` (the built-in one unless said otherwise).

    Raises `ModelUnavailable` for a model that is not there or has no cells, and `UnknownModel`.
    """
    from encoders import clipseg, registry
    from search.highlight.relevance import Relevance

    if name == "auto":
        wanted = segmenter is not None or (model is None and clipseg.has_segmenter())
        name = "segment" if wanted else "relevance"
    if name == "segment":
        return Segmentation(clipseg.load_segmenter(segmenter or clipseg.DEFAULT_SEGMENTER, placement))
    return Relevance(registry.load(model or registry.DEFAULT_MODEL, placement))
