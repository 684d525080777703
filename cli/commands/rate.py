"""`sightline rate`."""

from pathlib import Path

import click

from cli.options import PictureSelection, json_option, library_option, selection_options

__all__ = ["rate"]

FROM_FILE = "file"
RATINGS = {**{str(stars): stars for stars in range(6)}, "unrated": 0, "rejected": -1, FROM_FILE: None}


@click.command(
    epilog="""\b
Examples:
  sightline rate 4 ./cat.jpg ./kitten.jpg                files
  sightline rate 5 --tag best                            the pictures of a tag
  sightline rate rejected --where 'iso>12800'            filtered pictures
  sightline search a beach --relevant -0 | sightline rate 3 -

0 and `unrated` hide a rating in the file; `file` removes your rating, so that the one in the file counts again.
Your ratings outrank those in files and sidecars. Files are never changed, and indexing again changes no rating of
yours. `sightline search rating:5` finds them.
""",
)
@click.argument("rating", type=click.Choice(tuple(RATINGS)), metavar="RATING")
@selection_options
@library_option
@json_option
@click.pass_context
def rate(
    ctx: click.Context,
    /,
    rating: str,
    selection: PictureSelection,
    library: Path,
    as_json: bool,
) -> None:
    """Rate pictures: files, folders, or the results of a search or of filters. RATING is 0 to 5, or `rejected`."""
    from cli.rating import rate_pictures

    ctx.exit(rate_pictures(RATINGS[rating], selection, library=library, as_json=as_json))
