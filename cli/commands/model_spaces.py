"""`sightline models use` and `drop`."""

from pathlib import Path

import click

from cli.command_types import IntegerRange
from cli.options import json_option, library_option, placement_options
from encoders.placement import Placement

__all__ = ["drop", "use"]


@click.command(
    epilog="""\b
Examples:
  sightline models use mini
  sightline models use mini --no-switch   only embed; switch another time
  sightline models use mini@2             an earlier version of a model

Searches use the active model until the new one has embedded every picture; then the new one becomes active at once.
Stop it at any time, and run it again to continue. The vectors of the old model stay: to switch back, only newer
pictures are embedded. Without a version, NAME is the newest that is installed. For weights without a version, NAME is
the start of the fingerprint that `sightline status --json` shows.
"""
)
@click.argument("name")
@library_option
@placement_options
@click.option(
    "--workers",
    type=IntegerRange(1, 64),
    help="Number of pictures that are read at a time.  [default: one per core, at most 32]",
)
@click.option("--no-switch", is_flag=True, help="Embed the pictures, but keep the current model active.")
@click.option("--accept-missing", is_flag=True, help="Switch even if a folder or many vectors are missing.")
@json_option
def use(
    name: str,
    library: Path,
    placement: Placement,
    workers: int | None,
    no_switch: bool,
    accept_missing: bool,
    as_json: bool,
) -> None:
    """Embed all pictures with the model NAME, then make it active."""
    from cli.model_spaces import use_model

    use_model(
        name,
        library=library,
        placement=placement,
        workers=workers,
        activate=not no_switch,
        accept_missing=accept_missing,
        as_json=as_json,
    )


@click.command(
    epilog="""\b
Examples:
  sightline models drop ViT-B-32/laion2b_s34b_b79k
  sightline models drop mini@2                  an earlier version of a model
  sightline models drop mini@2 --use mini --vacuum

Pictures and the vectors of other models stay. The space in the catalogue becomes free for new data; --vacuum returns
it to the disk, which rewrites the catalogue.
"""
)
@click.argument("name")
@library_option
@click.option("--use", "successor", metavar="OTHER", help="The model to make active first, if NAME is active now.")
@click.option("--vacuum", is_flag=True, help="Return free space to the disk.")
@click.option("--dry-run", is_flag=True, help="Only print how many vectors would be removed.")
@json_option
def drop(name: str, library: Path, successor: str | None, vacuum: bool, dry_run: bool, as_json: bool) -> None:
    """Remove all vectors of the model NAME from the library; the model itself stays installed."""
    from cli.model_spaces import drop_model

    drop_model(name, library=library, successor=successor, vacuum=vacuum, dry_run=dry_run, as_json=as_json)
