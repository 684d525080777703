"""Judging the results of queries in the terminal: pictures are shown one by one, and a key judges each."""

import os
import shlex
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import click

from cli.error_hints import describe_error
from cli.output import print_text, shown, warn
from cli.progress import ProgressBar
from cli.results import shown_date
from cli.suggestions import command
from cli.thumbnails import can_preview, show_picture
from core.errors import EncoderError, EvaluationError, WeightsChanged
from encoders import registry
from encoders.base import Encoder
from encoders.placement import Placement
from search.evaluate.judgement_pool import JudgementPool, pool_results
from search.evaluate.judgement_set import JudgementSet, list_pictures, read_queries
from store import Library
from store.queries import ContentRecord
from store.spaces.registry import StoredSpace, list_spaces

__all__ = ["judge_queries"]

Order: TypeAlias = Literal["influence", "random"]

RIGHT, WRONG, SKIP, UNDO, QUIT = "r", "w", "s", "u", "q"

KEYS = {**dict.fromkeys("ry1", RIGHT), **dict.fromkeys("wn0", WRONG), "s": SKIP, "u": UNDO, "q": QUIT}


def judge_queries(
    queries_file: Path,
    out: Path,
    library: Path,
    *,
    lang: str | None,
    depth: int,
    order: Order,
    preview: bool,
    placement: Placement,
) -> None:
    """Ask for judgements of the first `depth` pictures of every model, and store them in the folder `out`.

    The `order` is that of queries and pictures: `influence` begins with those that can change the measured values most.
    """
    if os.path.realpath(queries_file.parent) == os.path.realpath(out):
        raise click.UsageError(f"{queries_file.name} must not be in {out}, where the judged queries are written.")
    queries = read_queries(queries_file)
    with Library.open(library) as opened:
        systems = _open_systems(opened, placement)
        judged = JudgementSet(out, opened, lang)
        names, unlisted = list_pictures(opened, [stored for stored, _ in systems])
        gone = judged.set_pictures(queries, names)
        if gone:
            warn(f"{gone:,} judgements are of pictures that are not in the library now. They are kept.")
        if unlisted:
            warn(f"{unlisted:,} pictures are left out, because their names are not plain text.")
        finished = JudgingSession(opened, systems, judged, order, preview and _can_preview()).ask(queries, depth)
    right = sum(grade > 0 for grades in judged.grades.values() for grade in grades.values())
    answers = sum(map(len, judged.grades.values()))
    print_text(
        f"Judged so far: {answers:,} pictures for {len(judged.grades):,} of {len(queries):,} queries; {right:,} right."
    )
    if not finished:
        print_text("Run the same command again to continue.")
    elif answers:
        place = shlex.quote(opened.location)
        print_text(f"Evaluate with: `sightline eval {shlex.quote(shown(out))} --library {place}`")


def _open_systems(library: Library, placement: Placement) -> list[tuple[StoredSpace, Encoder]]:
    """Return the spaces of the library whose model can embed text, with their encoders. Raises `EvaluationError`."""
    systems = []
    for stored in (summary.stored for summary in list_spaces(library)):
        try:
            systems.append((stored, registry.load_for_space(stored.space, placement)))
        except (EncoderError, WeightsChanged) as exc:
            warn(f"{stored.space} is left out: {describe_error(exc)}")
    if not systems:
        raise EvaluationError(
            f"No space of {library.location} can be searched by text. {command('index FOLDER')} indexes a folder."
        )
    return systems


def _can_preview() -> bool:
    if not can_preview():
        warn("--preview needs a terminal.")
        return False
    return True


@dataclass
class JudgingSession:
    """Shows pictures and reads answers."""

    library: Library
    systems: Sequence[tuple[StoredSpace, Encoder]]
    judged: JudgementSet
    order: Order
    preview: bool

    def ask(self, queries: Mapping[str, str], depth: int) -> bool:
        """Ask about every picture that is not judged yet. Return False if the user quit."""
        pools = self._pools(queries, depth)
        for number, pool in enumerate(pools, start=1):
            if not self._ask_query(f"{number} of {len(pools)}", queries[pool.query], pool):
                return False
        return True

    def _pools(self, queries: Mapping[str, str], depth: int) -> list[JudgementPool]:
        """Return the pools that have pictures without a judgement, in the order in which to ask."""
        with ProgressBar("Searching") as progress:
            progress.begin(len(queries))
            pools = []
            for pool in pool_results(self.library, self.systems, queries, depth):
                if pool.unjudged(self.judged):
                    pools.append(pool)
                progress.advance(1)
        if self.order == "influence":
            pools.sort(key=lambda pool: pool.by_influence(self.judged)[1], reverse=True)
        return pools

    def _ask_query(self, position: str, text: str, pool: JudgementPool) -> bool:
        print_text(f"\nQuery {position}: {text}")
        waiting = deque(self._in_order(pool))
        done: list[ContentRecord] = []
        skipped: set[int] = set()
        while waiting:
            record = waiting[0]
            self._show(f"{len(waiting)} to go", record)
            answer = _read_answer()
            if answer == QUIT:
                return False
            if answer == UNDO:
                if done:
                    waiting.appendleft(done.pop())
                    self.judged.remove(pool.query, waiting[0])
                continue
            waiting.popleft()
            if answer == SKIP:
                skipped.add(record.id)
                continue
            self.judged.judge(pool.query, text, record, int(answer == RIGHT))
            done.append(record)
            waiting = deque(each for each in self._in_order(pool) if each.id not in skipped)
        return True

    def _in_order(self, pool: JudgementPool) -> list[ContentRecord]:
        """Return the pictures without a judgement; each judgement changes the influence of the others."""
        return pool.by_influence(self.judged)[0] if self.order == "influence" else pool.unjudged(self.judged)

    def _show(self, left: str, record: ContentRecord) -> None:
        taken = f", {shown_date(record)}" if record.taken_at else ""
        print_text(f"  {shown(record.paths[0])}  ({record.width}\u00d7{record.height}{taken}; {left})")
        if self.preview:
            show_picture(record.paths[0])


def _read_answer() -> str:
    """Read keys until one is an answer. The end of the input quits."""
    while True:
        sys.stdout.write("  right, wrong, skip, undo, quit [r/w/s/u/q]: ")
        sys.stdout.flush()
        key = _read_key()
        print_text(key if key.isprintable() else "")
        if key in KEYS:
            return KEYS[key]


def _read_key() -> str:
    if not sys.stdin.isatty():
        line = sys.stdin.readline()
        return line.strip()[:1].lower() if line else "q"
    try:
        return click.getchar().lower()
    except EOFError:
        return "q"
