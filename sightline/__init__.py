"""What every room of Sightline may know: the version, the exception tree and the settings."""

from sightline.errors import SightlineError

__all__ = ["SightlineError", "__version__"]

__version__ = "0.1.0"
