"""Sightline over HTTP: the API that other programs build on, and the page on which people look."""

from web.app import create_app
from web.settings import ServeSettings

__all__ = ["ServeSettings", "create_app"]
