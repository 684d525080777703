"""`sightline verify`."""

from pathlib import Path

import click

from cli.options import json_option, library_option

__all__ = ["verify"]


@click.command(
    epilog="""\b
Examples:
  sightline verify && echo no faults
  sightline verify --json

Checks the database, every vector, and the index files bit for bit against the catalogue. Reads no pictures. Exit
code 1 means that there are faults; `sightline repair` repairs them.
"""
)
@library_option
@json_option
@click.pass_context
def verify(ctx: click.Context, library: Path, as_json: bool) -> None:
    """Check the library for damage."""
    from cli.maintenance import verify_library

    ctx.exit(verify_library(library, as_json=as_json))
