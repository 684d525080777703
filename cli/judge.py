"""`sightline judge`: make a judgement set from one's own queries, by a key for each picture."""

import os
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import library_option, placement_options
from cli.output import print_text, shown

if TYPE_CHECKING:
    from encoders.base import Encoder
    from encoders.placement import Placement
    from search.evaluate.judgement_set import JudgementSet
    from store import Library
    from store.queries import ContentRecord
    from store.spaces.registry import StoredSpace

__all__ = ["judge"]

RIGHT, WRONG, SKIP, UNDO, QUIT = "r", "w", "s", "u", "q"

KEYS = {**dict.fromkeys("ry1", RIGHT), **dict.fromkeys("wn0", WRONG), "s": SKIP, "u": UNDO, "q": QUIT}


@click.command(
    epilog="""\b
Examples:
  sightline judge queries.txt --out judged
  sightline judge fragen.txt --out judged --lang de -k 20 --preview
  sightline eval judged --library ~/.local/share/sightline/library   measure

QUERIES has one query a line, or id<TAB>query. The first pictures of every model in the library are shown in a
random order: r is right, w is wrong, s skips, u takes the last answer back, q quits. Every answer is kept at
once; the next time only what is not judged yet is asked for. What was never shown counts as wrong.
"""
)
@click.argument("queries", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--out", required=True, metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="Where judgements go."
)
@library_option
@click.option("--lang", metavar="CODE", help="Language of the queries.")
@click.option(
    "-k",
    "--top",
    default=10,
    show_default=True,
    type=click.IntRange(min=1),
    help="How many pictures of each model to judge.",
)
@click.option("--preview", is_flag=True, help="Show the pictures in the terminal.")
@placement_options
def judge(
    queries: Path, out: Path, library: Path, lang: str | None, top: int, preview: bool, placement: "Placement"
) -> None:
    """Judge what the library finds for your own QUERIES, to evaluate it with."""
    from search.evaluate.judgement_set import JudgementSet, collection, read_queries
    from store import Library

    if os.path.realpath(queries.parent) == os.path.realpath(out):
        raise click.UsageError(f"keep {queries.name} outside of {out}, where the queries that are judged are written")
    asked = read_queries(queries)
    with Library.open(library) as opened:
        systems = _systems(opened, placement)
        judged = JudgementSet(out, lang)
        names, unlisted = collection(opened, [stored for stored, _ in systems])
        gone = judged.cover(asked, names)
        if gone:
            click.echo(f"sightline: {gone:,} answers are of pictures that are not there now; they are kept", err=True)
        if unlisted:
            click.echo(f"sightline: {unlisted:,} pictures whose names are no plain text are left out", err=True)
        finished = _Dialogue(opened, systems, judged, preview and _can_preview()).ask(asked, top)
    right = sum(grade > 0 for grades in judged.grades.values() for grade in grades.values())
    answers = sum(map(len, judged.grades.values()))
    print_text(
        f"Judged so far: {answers:,} pictures for {len(judged.grades):,} of {len(asked):,} queries; {right:,} right."
    )
    if not finished:
        print_text("Run the same command again to go on.")
    elif answers:
        print_text(f"Measure with it: sightline eval {out} --library {library}")


def _systems(library: "Library", placement: "Placement") -> "list[tuple[StoredSpace, Encoder]]":
    """The spaces of the library in which words can be embedded, with what does it."""
    from core.errors import EncoderError, InvalidQuery
    from encoders import registry
    from store.spaces.registry import list_spaces

    systems = []
    for stored, _, _ in list_spaces(library):
        try:
            encoder = registry.load_for(stored.space, placement)
        except EncoderError as exc:
            click.echo(f"sightline: {stored.space} is left out: {exc}", err=True)
            continue
        if encoder.space.fingerprint == stored.space.fingerprint:
            systems.append((stored, encoder))
        else:
            click.echo(f"sightline: {stored.space} is left out: the model is {encoder.space} now", err=True)
    if not systems:
        raise InvalidQuery(f"nothing in {library.path} can be asked in words; `sightline index FOLDER` changes that")
    return systems


def _can_preview() -> bool:
    from cli.preview import can_preview

    if not can_preview():
        click.echo("sightline: --preview needs a terminal", err=True)
        return False
    return True


@dataclass
class _Dialogue:
    """Shows pictures and takes answers."""

    library: "Library"
    systems: "Sequence[tuple[StoredSpace, Encoder]]"
    judged: "JudgementSet"
    preview: bool

    def ask(self, queries: Mapping[str, str], depth: int) -> bool:
        """Everything that is not judged yet; returns whether all was asked, without quitting."""
        from search.evaluate.judgement_set import pool

        for number, (name, text) in enumerate(queries.items(), start=1):
            pooled = pool(self.library, self.systems, name, text, depth)
            left = [record for record in pooled if self.judged.grade(name, record) is None]
            if left and not self._ask_query(f"{number} of {len(queries)}", name, text, left):
                return False
        return True

    def _ask_query(self, place: str, name: str, text: str, records: "list[ContentRecord]") -> bool:
        print_text(f"\nQuery {place}: {text}")
        waiting = deque(records)
        done: list[ContentRecord] = []
        while waiting:
            record = waiting[0]
            self._show(f"{len(waiting)} to go", record)
            answer = _answer()
            if answer == QUIT:
                return False
            if answer == UNDO:
                if done:
                    waiting.appendleft(done.pop())
                    self.judged.take_back(name, waiting[0])
                continue
            waiting.popleft()
            if answer != SKIP:
                self.judged.judge(name, text, record, int(answer == RIGHT))
                done.append(record)
        return True

    def _show(self, left: str, record: "ContentRecord") -> None:
        taken = f", {record.taken_at:%Y-%m-%d}" if record.taken_at else ""
        print_text(f"  {shown(record.paths[0])}  ({record.width}\u00d7{record.height}{taken}; {left})")
        if self.preview:
            from cli.preview import show_picture

            show_picture(record.paths[0])


def _answer() -> str:
    """The answer that a key stands for; other keys are asked again, and the end of input is the end."""
    while True:
        sys.stdout.write("  right, wrong, skip, undo, quit [r/w/s/u/q]: ")
        sys.stdout.flush()
        key = _key()
        print_text(key if key.isprintable() else "")
        if key in KEYS:
            return KEYS[key]


def _key() -> str:
    if not sys.stdin.isatty():
        line = sys.stdin.readline()
        return line.strip()[:1].lower() if line else "q"
    try:
        return click.getchar().lower()
    except EOFError:
        return "q"
