"""What people and their programs wrote into a picture: keywords, a rating, a title, a description."""

from dataclasses import dataclass

__all__ = ["LONGEST_DESCRIPTION", "LONGEST_TITLE", "MOST_KEYWORDS", "Labels", "merged", "rating_of"]

MOST_KEYWORDS = 1_000
"""Kept of one file."""

LONGEST_TITLE, LONGEST_DESCRIPTION = 500, 5_000
"""Characters kept."""


@dataclass(frozen=True)
class Labels:
    """Labels of a picture; None where nothing is said. Levels of a keyword are separated by `/`: `people/Anna`.

    `rating` is 1 to 5 stars, -1 for rejected, 0 for none.
    """

    keywords: tuple[str, ...] = ()
    rating: int | None = None
    title: str | None = None
    description: str | None = None


def merged(first: Labels, second: Labels) -> Labels:
    """The keywords of both; of the rest what `first` says, and `second` where it says nothing."""
    return Labels(
        keywords=tuple(dict.fromkeys(first.keywords + second.keywords))[:MOST_KEYWORDS],
        rating=second.rating if first.rating is None else first.rating,
        title=first.title or second.title,
        description=first.description or second.description,
    )


def rating_of(value: object) -> int | None:
    """-1 to 5; None for anything else."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        return None
    return int(number) if number in (-1, 0, 1, 2, 3, 4, 5) else None
