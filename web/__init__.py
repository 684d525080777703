"""The HTTP API and the web page of a library."""

from web.app import create_app
from web.settings import ServeSettings

__all__ = ["ServeSettings", "create_app"]
