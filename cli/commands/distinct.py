"""`sightline distinct`."""

from pathlib import Path

import click

from cli.options import json_option, library_option

__all__ = ["distinct"]


@click.command(
    epilog="""\b
Examples:
  sightline distinct ./a.jpg ./b.jpg             these two are not near-duplicates
  sightline distinct ./a.jpg --from ./b.jpg --from ./c.jpg
  sightline distinct                             list all pairs that were recorded
  sightline distinct --undo ./a.jpg ./b.jpg

The two pictures of a pair are never in the same group of `sightline duplicates`, and never collapsed into one search
result, also when groups are computed again. Several PICTUREs are all distinct from each other; with --from, only from
those pictures. The verdict belongs to the contents: copies share it, and moved files keep it.
"""
)
@click.argument("pictures", nargs=-1, type=click.Path(path_type=Path), metavar="[PICTURE]...")
@click.option(
    "--from",
    "others",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PICTURE",
    help="They are distinct from this picture only; repeatable.",
)
@click.option("--undo", is_flag=True, help="Withdraw the verdict, and compare the pictures again.")
@library_option
@json_option
@click.pass_context
def distinct(
    ctx: click.Context,
    /,
    pictures: tuple[Path, ...],
    others: tuple[Path, ...],
    undo: bool,
    library: Path,
    as_json: bool,
) -> None:
    """Record that PICTUREs are not near-duplicates of each other, or list the pairs that were recorded."""
    from cli.verdicts import change_verdicts, print_verdicts

    if pictures or others or undo:
        ctx.exit(change_verdicts(pictures, others, undo=undo, library=library, as_json=as_json))
    ctx.exit(print_verdicts(library=library, as_json=as_json))
