"""`sightline facets`: what the pictures of a library have in common."""

from pathlib import Path

import click

from cli.options import filter_options, filters, json_option, library_option
from cli.query_options import QueryCommand, line_of, merged

__all__ = ["facets"]

NAMES = ("year", "month", "camera", "lens", "format", "orientation", "tag", "folder")


@click.command(
    cls=QueryCommand,
    epilog="""\b
Examples:
  sightline facets
  sightline facets camera:x100 after:2023   only of these pictures
  sightline facets --in ~/Pictures/2023 --of camera --of tag
  sightline facets --of month -k 1000 --json | jq -c '[.value, .pictures]'
""",
)
@click.argument("words", nargs=-1, metavar="[FILTER]...")
@filter_options
@click.option("--of", "names", multiple=True, type=click.Choice(NAMES), help="Only this; repeatable.")
@click.option("-k", "--top", default=10, show_default=True, type=click.IntRange(min=1), help="How many values of each.")
@library_option
@json_option
@click.pass_context
def facets(
    ctx: click.Context,
    /,
    words: tuple[str, ...],
    within: tuple[Path, ...],
    after: str | None,
    before: str | None,
    names: tuple[str, ...],
    top: int,
    library: Path,
    as_json: bool,
) -> None:
    """Count pictures by year, month, camera, lens, format, orientation, tag and folder."""
    from cli.output import print_json, print_text, shown
    from search import Filters
    from search.facets import count_facets
    from search.query_language import parse
    from store import Library

    narrowed = filters(within, after, before)
    if words:
        question = parse(line_of(words))
        if question.query is not None:
            raise click.UsageError("Only filters can be counted here, such as camera:x100; words rank pictures.")
        narrowed = merged(narrowed, Filters(where=question.where))
    with Library.open(library) as opened:
        found = count_facets(opened, narrowed, names or NAMES)
    if not as_json:
        print_text(f"{found.pictures:,} {'picture' if found.pictures == 1 else 'pictures'}")
    for name, counts in found.counts.items():
        for count in counts[:top]:
            if as_json:
                print_json({"facet": name, "value": count.value, "pictures": count.pictures})
        if not as_json and counts:
            print_text(f"\n{name}")
            for count in counts[:top]:
                print_text(f"{count.pictures:>10,}  {'-' if count.value is None else shown(count.value)}")
            if len(counts) > top:
                print_text(f"{'':>10}  and {len(counts) - top:,} more")
    ctx.exit(0 if found.pictures else 1)
