"""`sightline rate`."""

from pathlib import Path

from cli.options import PictureSelection
from cli.output import counted, print_json, print_text
from cli.results import FOUND, NOTHING_FOUND
from cli.tagging import change_pictures
from store import Library
from store.ratings import rate

__all__ = ["rate_pictures", "rating_title"]


def rate_pictures(rating: int | None, selection: PictureSelection, *, library: Path, as_json: bool) -> int:
    """Give the selected pictures a rating, or none; return the exit code."""

    def change(library: Library, ids: list[int]) -> int:
        return len(rate(library, ids, rating))

    ids, changed = change_pictures(selection, library, change)
    if as_json:
        print_json({"rating": rating, "pictures": len(ids), "changed": changed})
    else:
        unchanged = len(ids) - changed
        rest = f"; {unchanged:,} unchanged" if unchanged else ""
        print_text(f"Rated {counted(changed, 'picture', 'pictures')}: {rating_title(rating)}{rest}.")
    return FOUND if ids else NOTHING_FOUND


def rating_title(rating: int | None) -> str:
    """Return a rating as it is shown to people."""
    if rating is None:
        return "as in the files"
    if rating > 0:
        return "★" * rating
    return "rejected" if rating < 0 else "unrated"
