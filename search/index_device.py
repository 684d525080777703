"""Whether the index of a space is searched on a GPU."""

from encoders import machine
from store.spaces.flat_index import FlatIndex
from store.spaces.index_engines import chosen_engine
from store.spaces.vector_index import DerivedIndex

__all__ = ["MIN_VECTORS", "with_device"]

MIN_VECTORS = 500_000
"""The number of vectors from which a GPU is used. Half a million are ranked in 8 ms on a processor.

Chosen from times on a processor; no card was at hand to measure where one begins to be faster.
"""


def with_device(index: DerivedIndex) -> DerivedIndex:
    """Return `index`; if it is large and there is an NVIDIA card, one that searches it on the card.

    `SIGHTLINE_INDEX_ENGINE` overrules this: `flat` for the processor, `torch` or `faiss-gpu` for a card. The card is
    used once PyTorch was imported to run the model; importing it for a search would take longer than the search.
    """
    if chosen_engine() is not None or not isinstance(index, FlatIndex) or len(index) < MIN_VECTORS:
        return index
    if not machine.has_nvidia_card():
        return index
    from store.spaces.torch_index import TorchIndex

    return TorchIndex.when_imported(index)
