"""Semantic image search: index folders of pictures, and search them with words or with another picture."""

from core.errors import SightlineError
from core.version import __version__

__all__ = ["SightlineError", "__version__"]
