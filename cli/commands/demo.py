"""`sightline demo`."""

from pathlib import Path

import click

__all__ = ["demo"]


@click.command(
    epilog="""\b
Examples:
  sightline demo
  sightline demo --out /tmp/demo
"""
)
@click.option(
    "--out",
    default=Path("sightline-demo"),
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the demo's library and contact sheets.",
)
def demo(out: Path) -> None:
    """Index a small gallery of rendered scenes, and search it in six languages."""
    from cli.demonstration import run_demo

    run_demo(out)
