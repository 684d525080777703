"""Where in a picture something is, found by a segmentation model or by the patch features of an encoder."""

from encoders.prompts import PicturePrompt, Prompt, TextPrompt, VectorPrompt
from search.highlight.engine import HighlightEngine, load_engine
from search.highlight.highlight import Highlight, highlight, open_image
from search.highlight.regions import Region

__all__ = [
    "Highlight",
    "HighlightEngine",
    "PicturePrompt",
    "Prompt",
    "Region",
    "TextPrompt",
    "VectorPrompt",
    "highlight",
    "load_engine",
    "open_image",
]
