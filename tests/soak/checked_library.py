"""A library whose commands are killed, and the checks of what they left."""

import os
import shutil
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from encoders import registry
from indexer import index
from search import Searcher, SearchOptions
from store import Library
from store.check import verify
from tests.soak.commands import Ended, Processes
from tests.soak.photos import Photos
from tests.soak.report import Report
from tests.soak.said import Said, read_said

__all__ = ["CheckedLibrary"]

ALL = SearchOptions(k=10_000, collapse_duplicates=False)
QUERIES = ("red", "green", "blue yellow")
MAX_LOG_BYTES = 70 * 2**20


class CheckedLibrary:
    """A library, its pictures, and what was said about them."""

    def __init__(self, place: Path, seed: int) -> None:
        self.chance = Random(seed)
        self.place = place
        self.path = place / "library"
        self.photos = Photos(place / "photos-0", self.chance)
        self.processes = Processes(self.chance, place)
        self.said = Said()
        self.report = Report()
        self.step = 0
        """Number of the command that is killed."""
        self.stale: frozenset[int] = frozenset()
        """Pictures whose files changed since the last complete index run."""
        for part in ("a", "b", "b/c"):
            self.photos.add(part, 12)
        self.complete()

    def some(self, count: int) -> list[int]:
        """Return numbers of pictures that the library certainly has."""
        with Library.open(self.path) as opened, opened.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT digest FROM pictures JOIN contents ON contents.id = content_id WHERE state = 'present'"
            ).scalars()
            known = {self.photos.numbers.get(digest, 0) for digest in rows}
        # A file may have been renamed since.
        usable = [n for n in known & self.photos.files.keys() if n not in self.stale and self.photos.path(n).exists()]
        return self.chance.sample(sorted(usable), min(count, len(usable)))

    # Running commands.

    def run(self, after: Said, *args: object, whole: bool = True, codes: tuple[int, ...] = (0,)) -> Ended:
        """Kill a command that makes `after` of what was said, and check what it left.

        Unless `whole`, a part of its effect may be there. `codes` are the exit codes that it may end with.
        """
        verb = str(args[0])
        ended = self.kill(*args, codes=codes)
        before, self.said = self.said, self.check(f"{verb}, {'killed' if ended.killed else 'ended'}")
        facts = self.said.facts()
        if not ended.killed:
            self.require(facts == after.facts(), f"{args} ended, but lacks or adds {facts ^ after.facts()}")
        elif whole:
            self.require(facts in (before.facts(), after.facts()), f"{args}: {facts ^ before.facts()}")
        else:
            least, most = before.facts() & after.facts(), before.facts() | after.facts()
            self.require(least <= facts <= most, f"{args}: lost {least - facts}, appeared {facts - most}")
        orders = [said.orders() for said in (before, after)]
        self.require(not whole or self.said.orders() in orders, f"{args}: the order of an album changed")
        return ended

    def kill(self, *args: object, seconds: float | None = None, codes: tuple[int, ...] = (0,)) -> Ended:
        """Kill a command, at some instant or after `seconds`, and count it."""
        files = self._catalogue()
        ended = self.processes.killed(self.path, *args, seconds=seconds)
        verb = str(args[0])
        self.count(verb, ended, args, codes)
        self.report.had_written[verb] += ended.killed and self._catalogue() != files
        return ended

    def _catalogue(self) -> list[bytes]:
        files = [self.path / f"catalog.sqlite{suffix}" for suffix in ("", "-wal")]
        return [file.read_bytes() for file in files if file.exists()]

    def count(self, verb: str, ended: Ended, args: object, codes: tuple[int, ...] = (0,)) -> None:
        """Count a command that was to be killed; if it ended before, it must have ended well."""
        (self.report.kills if ended.killed else self.report.ended)[verb] += 1
        if not ended.killed:
            self._require_ended_well(ended, args, codes)

    def confirmed(self, *args: object, codes: tuple[int, ...] = (0,)) -> None:
        """Run a command to its end, as a user does after a crash."""
        self._require_ended_well(self.processes.finished(self.path, *args), args, codes)

    def _require_ended_well(self, ended: Ended, args: object, codes: tuple[int, ...]) -> None:
        self.require(ended.code in codes and "Traceback" not in ended.err, f"{args}: code {ended.code}: {ended.err}")

    # Checks.

    def require(self, is_right: bool, fault: str) -> None:
        """Report a fault unless all is right."""
        if not is_right:
            self.report.faults.append(f"step {self.step}: {fault}")

    def check(self, when: str, expected: Said | None = None) -> Said:
        """Open the library, verify it, and compare searches with the vectors; return what people said.

        If something is `expected`, it must be what people said.
        """
        try:
            with Library.open(self.path) as opened:
                for fault in verify(opened):
                    self.require(False, f"{when}: {fault}")
                self._check_answers(opened, when)
        except Exception as exc:  # any error is a fault
            self.require(False, f"{when}: {type(exc).__name__}: {exc}")
        log = self.path / "catalog.sqlite-wal"
        self.require(not log.exists() or log.stat().st_size < MAX_LOG_BYTES, f"{when}: the log grows")
        said = read_said(self.path, self.photos.numbers)
        if expected is not None:
            self.require(said.facts() == expected.facts(), f"{when}: {said.facts() ^ expected.facts()}")
        return said

    def _check_answers(self, opened: Library, when: str) -> None:
        """Each present picture must be found, with the score of its vector."""
        searcher = Searcher(opened)
        model = searcher.space.space.model
        with opened.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT roots.path, relpath, digest FROM pictures JOIN roots ON roots.id = root_id "
                "JOIN contents ON contents.id = content_id WHERE state = 'present' AND kind = 'folder'"
            ).all()
        for words in QUERIES:
            query = _text_vector(words)
            hits = searcher.search(words, ALL)
            found = {os.fsencode(hit.path): hit.score for hit in hits}
            wanted = {root + b"/" + path: float(self.photos.vectors[digest] @ query) for root, path, digest in rows}
            if found.keys() != wanted.keys():
                self.require(False, f"{when}: {words} finds {len(found)} of {len(wanted)}: {found.keys() ^ wanted}")
            elif any(abs(found[path] - score) > 3e-3 for path, score in wanted.items()):
                worst = max(wanted, key=lambda path: abs(found[path] - wanted[path]))
                self.require(False, f"{when}: {worst!r} has {found[worst]} instead of {wanted[worst]} ({model})")
            scores = [hit.score for hit in hits]
            self.require(scores == sorted(scores, reverse=True), f"{when}: hits of {words} are not sorted")

    def complete(self) -> None:
        """Complete what was killed, and compare with a library that was never disturbed; nothing may be left over."""
        folder = self.photos.folder
        self.confirmed("index", folder, *([] if self.path.exists() else ["--model", "fake"]))
        self.check("completed", self.said)
        for file in self.path.rglob("*.tmp"):
            os.utime(file, (0, 0))  # as if the kill had been long ago
        self.confirmed("index", folder)
        self.confirmed("backup")
        self._require_nothing_left_over()
        self._compare_with_undisturbed()
        self.report.comparisons += 1

    def _require_nothing_left_over(self) -> None:
        left = [str(file.relative_to(self.path)) for file in self.path.rglob("*.tmp")]
        self.require(not left, f"files are left over: {left}")
        with Library.open(self.path) as opened, opened.read() as connection:
            # A stopped import may have one, too.
            announced = set(connection.exec_driver_sql("SELECT filename FROM index_generations").scalars())
        strays = {file.name for file in (self.path / "indexes").iterdir()} - announced
        self.require(not strays, f"index files are left over: {strays}")

    def _compare_with_undisturbed(self) -> None:
        calm = self.place / "calm"
        shutil.rmtree(calm, ignore_errors=True)
        with Library.open(calm, create=True) as reference, Library.open(self.path) as opened:
            index(reference, [self.photos.folder], registry.load(Searcher(opened).space.space.model))
            for words in QUERIES:
                both = [
                    sorted((str(hit.path), hit.score) for hit in Searcher(each).search(words, ALL))
                    for each in (reference, opened)
                ]
                self.require(both[0] == both[1], f"{words}: other answers than those of an undisturbed library")


def _text_vector(words: str) -> Any:
    vector = registry.load("fake").encode_texts([words])[0]
    return np.asarray(vector, np.float32)
