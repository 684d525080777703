"""Highlights as pictures: a map over its picture, and figures with captions and a legend."""

from search.highlight.overlay.blend import blend
from search.highlight.overlay.figure import Panel, figure, panels_of, word_panels

__all__ = ["Panel", "blend", "figure", "panels_of", "word_panels"]
