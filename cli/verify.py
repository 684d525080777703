"""`sightline verify`: check that nothing in the library is damaged."""

from pathlib import Path

import click

from cli.options import json_option, library_option

__all__ = ["verify"]


@click.command(
    epilog="""\b
Examples:
  sightline verify && echo all well
  sightline verify --json

Checks the database, every vector, and the index files bit for bit against the catalogue. Reads no picture.
Exit code 1 means that faults were found; `sightline repair` mends them.
"""
)
@library_option
@json_option
@click.pass_context
def verify(ctx: click.Context, library: Path, as_json: bool) -> None:
    """Check that nothing in the library is damaged."""
    from cli.output import print_json, print_text
    from store import Library
    from store.check import verify as check

    with Library.open(library) as opened:
        faults = check(opened)
    for fault in faults:
        if as_json:
            print_json(vars(fault))
        else:
            print_text(f"{fault.kind}: {fault.detail}")
    if not faults and not as_json:
        print_text("All well.")
    ctx.exit(1 if faults else 0)
