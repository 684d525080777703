"""Interactive search: the user marks hits as right or wrong by their number, and the query is refined."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import click

from cli.output import print_text, warn
from cli.results import FOUND, NOTHING_FOUND, hit_line
from search import Answer, Query, Searcher, SearchOptions, StoredInput
from search.feedback import refine_query
from search.results import Hit

__all__ = ["Dialogue"]

PROMPT = "  +3 5 more like these, -2 less like it, next page, open 3, reset, quit: "


@dataclass
class Dialogue:
    """Shows pages of hits and reads commands until the end of the input.

    `+3` and `more 3` mark number 3 as right, `-3` and `less 3` as wrong. Several numbers may follow, and `+3 -5` does
    both. Marks stay until `reset`.
    """

    searcher: Searcher
    query: Query
    options: SearchOptions
    more: list[StoredInput] = field(default_factory=list)
    """The pictures marked as right."""
    less: list[StoredInput] = field(default_factory=list)
    """The pictures marked as wrong."""

    def run(self) -> int:
        """Run the dialogue and return the exit code: whether anything was ever found."""
        answer = self._search()
        found = bool(answer)
        while True:
            words = _read_command()
            if words is None or words[0] in ("quit", "q", "exit"):
                return FOUND if found else NOTHING_FOUND
            new = self._execute(words, answer)
            answer = answer if new is None else new  # an answer without hits is falsy
            found = found or bool(answer)

    def _execute(self, words: Sequence[str], answer: Answer) -> Answer | None:
        """Execute a command; return a new answer, if there is one."""
        match words:
            case ["next" | "n"] if answer.next_cursor is not None:
                return self._search(answer.next_cursor)
            case ["next" | "n"]:
                print_text("  There are no more pages.")
            case ["reset"]:
                self.more, self.less = [], []
                return self._search()
            case ["open", number] if (position := _position(number, answer)) is not None:
                click.launch(str(answer[position].path))
            case _:
                marks = _parse_marks(words, answer)
                if marks is None:
                    print_text("  Unknown command, or not the number of a picture on this page.")
                    return None
                self._mark(*marks)
                return self._search()
        return None

    def _mark(self, right: Sequence[StoredInput], wrong: Sequence[StoredInput]) -> None:
        """Mark pictures; the last mark of a picture counts."""
        marked = {*right, *wrong}
        self.more = [picture for picture in self.more if picture not in marked] + list(right)
        self.less = [picture for picture in self.less if picture not in marked] + list(wrong)

    def _search(self, cursor: str | None = None) -> Answer:
        query = self.query
        if self.more or self.less:
            query = refine_query(query, self.more, self.less)
        # Relevance is not calibrated for refined queries.
        options = replace(self.options, cursor=cursor, relevant=self.options.relevant and query is self.query)
        answer = self.searcher.search(query, options)
        for notice in answer.notices:
            warn(str(notice))
        for hit in answer:
            picture = _stored(hit)
            mark = "+" if picture in self.more else "-" if picture in self.less else " "
            print_text(mark + hit_line(hit))
        if not answer:
            print_text("  Nothing found.")
        return answer


def _read_command() -> list[str] | None:
    """Return the words of the next non-empty line; None at the end of the input."""
    while True:
        sys.stdout.write(PROMPT)
        sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            print_text()
            return None
        if line.split():
            return line.lower().split()


def _parse_marks(words: Sequence[str], answer: Answer) -> tuple[list[StoredInput], list[StoredInput]] | None:
    """Return the right and the wrong pictures; None if `words` are no such command."""
    marks: tuple[list[StoredInput], list[StoredInput]] = ([], [])
    side: int | None = None
    for word in words:
        sign = {"+": 0, "-": 1, "more": 0, "less": 1}.get(word if word in ("more", "less") else word[0])
        side = side if sign is None else sign
        number = "" if word in ("more", "less", "+", "-") else word.lstrip("+-")
        position = _position(number, answer) if number else None
        if side is None or (number and position is None):
            return None
        if position is not None:
            marks[side].append(_stored(answer[position]))
    return marks if marks[0] or marks[1] else None


def _stored(hit: Hit) -> StoredInput:
    """Return the frame that was found, as a query."""
    return StoredInput(hit.id, hit.frame_number)


def _position(number: str, answer: Answer) -> int | None:
    """Return the position on the page of the hit with this rank."""
    ranks = [str(hit.rank) for hit in answer]
    return ranks.index(number) if number in ranks else None
