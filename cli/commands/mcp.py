"""`sightline mcp`."""

from pathlib import Path

import click

from cli.options import library_option

__all__ = ["mcp"]


@click.command(
    epilog="""\b
Examples:
  sightline mcp                     for the configuration of an assistant, which starts it
  sightline mcp --allow-changes     also tag and rate pictures, and put them in albums

It needs the extra: pip install 'sightline[mcp]'. It speaks the Model Context Protocol on standard input and output
until the input ends. docs/assistants.md has configurations for common assistants.
"""
)
@library_option
@click.option("--allow-changes", is_flag=True, help="Let the assistant change tags, ratings and albums, but no files.")
def mcp(library: Path, allow_changes: bool) -> None:
    """Let an assistant search the library: search, similar, describe, thumbnail, facets, tags and albums."""
    from cli.assistants import run_mcp_server

    run_mcp_server(library, allow_changes=allow_changes)
