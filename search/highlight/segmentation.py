"""Maps by a segmenter: a model that was trained to say where something is."""

__all__ = ["Segmentation"]
