"""Where in a picture something is: by a segmenter, or by the cells of the model that searches."""

from encoders.prompts import PicturePrompt, Prompt, TextPrompt, VectorPrompt
from search.highlight.engine import HighlightEngine
from search.highlight.highlight import Highlight, highlight
from search.highlight.loading import load_engine
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
]
