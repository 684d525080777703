"""`sightline models`: what models there are, and how to get them."""

from cli.models.group import models

__all__ = ["models"]
