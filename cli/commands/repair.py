"""`sightline repair`."""

from pathlib import Path

import click

from cli.options import json_option, library_option

__all__ = ["repair"]


@click.command(
    epilog="""\b
Examples:
  sightline repair

Index files are rebuilt from the catalogue, which contains every vector. Damaged vectors are removed; the next
`sightline index` embeds those pictures again.
"""
)
@library_option
@json_option
def repair(library: Path, as_json: bool) -> None:
    """Repair damage, without embedding pictures again."""
    from cli.maintenance import repair_library

    repair_library(library, as_json=as_json)
