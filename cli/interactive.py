"""A search as a conversation: hits have numbers, a person says which are right, and the query moves."""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

import click

from cli.options import Order
from cli.output import print_text
from cli.query_options import note
from cli.results import FOUND, NOTHING_FOUND, as_line
from search.feedback import refined
from search.query import Query, Stored

if TYPE_CHECKING:
    from search import Answer, Asking, Filters, Searcher

__all__ = ["Dialogue"]

HELP = "  +3 5 more like these, -2 less like it, next page, open 3, reset, quit: "


@dataclass
class Dialogue:
    """Shows pages of hits and takes commands until the end of the input.

    `+3` and `more 3` say that number 3 is right, `-3` and `less 3` that it is not; several numbers may follow, and
    `+3 -5` says both. What was said stays said until `reset`.
    """

    searcher: "Searcher"
    query: Query
    order: Order
    filters: "Filters"
    asking: "Asking"
    more: list[int] = field(default_factory=list)
    """Ids of pictures that are right."""
    less: list[int] = field(default_factory=list)

    def run(self) -> int:
        """Returns the exit code: whether anything was ever found."""
        hits = self._ask()
        found = bool(hits)
        while True:
            words = _prompt()
            if words is None or words[0] in ("quit", "q", "exit"):
                return FOUND if found else NOTHING_FOUND
            answer = self._obey(words, hits)
            hits = hits if answer is None else answer
            found = found or bool(hits)

    def _obey(self, words: Sequence[str], hits: "Answer") -> "Answer | None":
        """Does what `words` say; returns new hits, if there are any."""
        match words:
            case ["next" | "n"] if hits.next is not None:
                return self._ask(hits.next)
            case ["next" | "n"]:
                print_text("  That was all.")
            case ["reset"]:
                self.more, self.less = [], []
                return self._ask()
            case ["open", number] if (place := _place(number, hits)) is not None:
                click.launch(str(hits[place].path))
            case _:
                judged = _judged(words, hits)
                if judged is None:
                    print_text("  That is none of the commands, or no number of a picture on this page.")
                    return None
                self._judge(*judged)
                return self._ask()
        return None

    def _judge(self, right: Sequence[int], wrong: Sequence[int]) -> None:
        """The last word on a picture counts."""
        said = {*right, *wrong}
        self.more = [known for known in self.more if known not in said] + list(right)
        self.less = [known for known in self.less if known not in said] + list(wrong)

    def _ask(self, cursor: str | None = None) -> "Answer":
        query = self.query
        if self.more or self.less:
            query = refined(query, [Stored(known) for known in self.more], [Stored(known) for known in self.less])
        # What a relevance is worth for a query that was moved, nobody has measured.
        order = replace(self.order, cursor=cursor, relevant=self.order.relevant and query is self.query)
        hits = self.searcher.search(query, filters=self.filters, asking=self.asking, **asdict(order))
        note(hits.notes)
        for hit in hits:
            mark = "+" if hit.id in self.more else "-" if hit.id in self.less else " "
            print_text(mark + as_line(hit))
        if not hits:
            print_text("  Nothing found.")
        return hits


def _prompt() -> list[str] | None:
    """The words of the next line that is not empty; None at the end of the input."""
    while True:
        sys.stdout.write(HELP)
        sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            print_text()
            return None
        if line.split():
            return line.lower().split()


def _judged(words: Sequence[str], hits: "Answer") -> tuple[list[int], list[int]] | None:
    """The ids that are right and those that are not; None if that is not what `words` say."""
    said: tuple[list[int], list[int]] = ([], [])
    side: int | None = None
    for word in words:
        sign = {"+": 0, "-": 1, "more": 0, "less": 1}.get(word if word in ("more", "less") else word[0])
        side = side if sign is None else sign
        number = "" if word in ("more", "less", "+", "-") else word.lstrip("+-")
        place = _place(number, hits) if number else None
        if side is None or (number and place is None):
            return None
        if place is not None:
            said[side].append(hits[place].id)
    return said if said[0] or said[1] else None


def _place(number: str, hits: "Answer") -> int | None:
    """Where on the page the hit with this rank stands."""
    ranks = [str(hit.rank) for hit in hits]
    return ranks.index(number) if number in ranks else None
