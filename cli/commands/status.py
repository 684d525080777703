"""`sightline status`."""

from pathlib import Path

import click

from cli.options import json_option, library_option

__all__ = ["status"]


@click.command(
    epilog="""\b
Examples:
  sightline status
  sightline status --failures      which files could not be read, and why
  sightline status --passed-over   where there are files that are no supported pictures
  sightline status --json | jq .present
"""
)
@library_option
@click.option("--failures", "with_failures", is_flag=True, help="List every file that failed, with the reason.")
@click.option(
    "--passed-over", "with_passed_over", is_flag=True, help="List the folders of files that are no supported pictures."
)
@json_option
def status(library: Path, with_failures: bool, with_passed_over: bool, as_json: bool) -> None:
    """Show the contents of the library, and how many files could not be read."""
    from cli.status import print_status

    print_status(library, with_failures=with_failures, with_passed_over=with_passed_over, as_json=as_json)
