"""`sightline duplicates`."""

from pathlib import Path

import click

from cli.command_types import IntegerRange
from cli.options import json_option, library_option

__all__ = ["duplicates"]


@click.command(
    epilog="""\b
Examples:
  sightline duplicates                        every group, the largest first
  sightline duplicates --in ~/Pictures/2023 --sheet alike.html
  sightline duplicates --threshold 16         only nearly identical pictures
  sightline duplicates --json | jq .bytes
  sightline duplicates --paths > others.txt   all but the best of each group
  sightline distinct a.jpg b.jpg              these two are not near-duplicates

Two pictures are near-duplicates if few of the 256 bits of their perceptual hashes differ (docs/duplicates.md). The
best has the most pixels; ties are decided by file size, a lossless format, and the earliest date. Files are never
changed. Exit code 1 means that there are no groups.
"""
)
@click.option(
    "--in", "within", multiple=True, type=click.Path(path_type=Path), help="Only files in this folder; repeatable."
)
@click.option(
    "--threshold",
    type=IntegerRange(0, 128),
    metavar="BITS",
    help="How many of the 256 bits may differ; compares all pictures again.  [default: 40]",
)
@click.option("--paths", is_flag=True, help="Print only the paths of all but the best of each group, one per line.")
@click.option("-0", "--print0", is_flag=True, help="The same, each followed by NUL (for xargs -0).")
@click.option(
    "--csv",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the same with the best of each group as a table to a new file: FILE.csv.",
)
@click.option("--csv-bom", is_flag=True, help="With --csv: begin with a byte order mark, for Excel.")
@click.option(
    "--sheet",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a contact sheet with a section per group: FILE.png or FILE.html.",
)
@library_option
@json_option
@click.pass_context
def duplicates(
    ctx: click.Context,
    /,
    library: Path,
    within: tuple[Path, ...],
    threshold: int | None,
    paths: bool,
    print0: bool,
    csv: Path | None,
    csv_bom: bool,
    sheet: Path | None,
    as_json: bool,
) -> None:
    """List groups of near-duplicates and exact copies, the best of each first."""
    from cli.listings import DuplicateFiles, print_duplicates

    if csv_bom and csv is None:
        raise click.UsageError("--csv-bom requires --csv FILE.")
    files = DuplicateFiles(sheet, csv, csv_bom)
    code = print_duplicates(within, threshold, files, library=library, paths=paths, print0=print0, as_json=as_json)
    ctx.exit(code)
