"""A soak of kills: `python -m tests.soak.kills --help`.

Commands that change a library are killed (SIGKILL) at random instants, one after the other. After each kill the library
must open, `verify` must find no fault, everything that people said in commands that ended must be there, the killed
command must have had its whole effect or none (a restore: a part), and searches must return what the vectors computed
by hand say. Now and then everything is completed and compared with a library that was never disturbed.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any, TypeAlias

import numpy as np

from encoders import registry
from indexer import index
from search import Searcher, SearchOptions
from store import Library
from store.catalog import schema
from store.check import verify
from tests.soak.commands import Ended, Processes
from tests.soak.photos import PLUGIN, Photos
from tests.soak.said import Said, read_said

__all__ = ["Report", "Soak", "install_paint", "soak"]

ALL = SearchOptions(k=10_000, collapse_duplicates=False)
QUERIES = ("red", "green", "blue yellow")
COMPLETE_EVERY = 40
"""Kills between two comparisons with an undisturbed library."""
OLDEST = 6
"""The oldest revision that libraries are upgraded from: earlier ones have no groups of near-duplicates."""
LEFT_BY_KILLS = (".tmp",)
MAX_LOG_BYTES = 70 * 2**20

Check: TypeAlias = Callable[[Said], bool]


@dataclass
class Report:
    """What was done, and what was wrong."""

    kills: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    """Commands that ended before they were killed."""
    had_written: Counter[str] = field(default_factory=Counter)
    """Killed commands that had changed the catalogue or its log."""
    comparisons: int = 0
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        lines = ["| command | killed | of these, after a write | ended before |", "|---|---|---|---|"]
        lines += [
            f"| {verb} | {self.kills[verb]} | {self.had_written[verb]} | {self.ended[verb]} |"
            for verb in sorted(self.kills | self.ended)
        ]
        total = f"{self.kills.total()} kills, {self.comparisons} comparisons with an undisturbed library"
        return "\n".join([*lines, "", f"{total}, {self.seconds:.0f} s, {len(self.faults)} faults", *self.faults])


class Soak:
    """A library, its pictures, and what was said about them."""

    def __init__(self, place: Path, seed: int) -> None:
        self.chance = Random(seed)
        self.place = place
        self.library = place / "library"
        self.photos = Photos(place / "photos-0", self.chance)
        self.processes = Processes(self.chance, place)
        self.said = Said()
        self.report = Report()
        self._number = 0
        for part in ("a", "b", "b/c"):
            self.photos.add(part, 12)
        self.complete()

    def step(self) -> None:
        """Kill one command, and check the library."""
        self._number += 1
        verbs = [self.index, self.index, self.watch, self.tag, self.rate, self.album, self.distinct, self.use_model]
        verbs += [self.backup, self.restore, self.upgrade, self.move_root, self.import_vectors, self.forget]
        self.chance.choice(verbs)()
        if self._number % COMPLETE_EVERY == 0:
            self.complete()

    # Running commands.

    def run(self, after: Said, *args: object, whole: bool = True) -> Ended:
        """Kill a command that makes `after` of what was said, and check what it left.

        Unless `whole`, a part of its effect may be there.
        """
        verb = str(args[0])
        files = self._catalogue()
        ended = self.processes.killed(self.library, *args)
        self.count(verb, ended, args)
        self.report.had_written[verb] += ended.killed and self._catalogue() != files
        before, self.said = self.said, self.check(f"{verb}, {'killed' if ended.killed else 'ended'}")
        facts = self.said.facts()
        if not ended.killed:
            self.require(facts == after.facts(), f"{args} ended, but lacks or adds {facts ^ after.facts()}")
        elif whole:
            self.require(facts in (before.facts(), after.facts()), f"{args}: {facts ^ before.facts()}")
        else:
            least, most = before.facts() & after.facts(), before.facts() | after.facts()
            self.require(least <= facts <= most, f"{args}: lost {least - facts}, appeared {facts - most}")
        orders = [self._orders(said) for said in (before, after)]
        is_kept = not whole or self._orders(self.said) in orders
        self.require(is_kept, f"{args}: the order of an album changed")
        return ended

    def _orders(self, said: Said) -> dict[str, tuple[int, ...]]:
        return {name: tuple(members) for name, members in said.albums.items()}

    def _catalogue(self) -> list[bytes]:
        files = [self.library / f"catalog.sqlite{suffix}" for suffix in ("", "-wal")]
        return [file.read_bytes() for file in files if file.exists()]

    def count(self, verb: str, ended: Ended, args: object) -> None:
        (self.report.kills if ended.killed else self.report.ended)[verb] += 1
        if not ended.killed:
            self.require(ended.code == 0 and "Traceback" not in ended.err, f"{args}: code {ended.code}: {ended.err}")

    def confirmed(self, *args: object, codes: tuple[int, ...] = (0,)) -> None:
        """Run a command to its end, as a user does after a crash."""
        ended = self.processes.finished(self.library, *args)
        self.require(ended.code in codes and "Traceback" not in ended.err, f"{args}: code {ended.code}: {ended.err}")

    def require(self, is_right: bool, fault: str) -> None:
        if not is_right:
            self.report.faults.append(f"step {self._number}: {fault}")

    # Checks.

    def check(self, when: str) -> Said:
        """Open the library, verify it, and compare searches with the vectors; return what people said."""
        try:
            with Library.open(self.library) as opened:
                for fault in verify(opened):
                    self.require(False, f"{when}: {fault}")
                self._check_answers(opened, when)
        except Exception as exc:  # any error is a fault
            self.require(False, f"{when}: {type(exc).__name__}: {exc}")
        log = self.library / "catalog.sqlite-wal"
        self.require(not log.exists() or log.stat().st_size < MAX_LOG_BYTES, f"{when}: the log grows")
        return read_said(self.library, self.photos.numbers)

    def _check_answers(self, opened: Library, when: str) -> None:
        """Each present picture must be found, with the score of its vector."""
        searcher = Searcher(opened)
        swaps = searcher.space.space.model == "paint"
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
                self.require(False, f"{when}: {worst!r} has {found[worst]} instead of {wanted[worst]} (paint: {swaps})")
            scores = [hit.score for hit in hits]
            self.require(scores == sorted(scores, reverse=True), f"{when}: hits of {words} are not sorted")

    def complete(self) -> None:
        """Complete what was killed, and compare with a library that was never disturbed; nothing may be left over."""
        folder = self.photos.folder
        self.confirmed("index", folder, *([] if self.library.exists() else ["--model", "fake"]))
        facts = self.check("completed").facts()
        self.require(facts == self.said.facts(), f"completed: {facts ^ self.said.facts()}")
        for file in self.library.rglob("*.tmp"):
            os.utime(file, (0, 0))  # as if the kill had been long ago
        self.confirmed("index", folder)
        self.confirmed("backup")
        left = [str(file.relative_to(self.library)) for file in self.library.rglob("*.tmp")]
        self.require(not left, f"files are left over: {left}")
        with Library.open(self.library) as opened, opened.read() as connection:
            # A stopped import may have one, too.
            announced = set(connection.exec_driver_sql("SELECT filename FROM index_generations").scalars())
        strays = {file.name for file in (self.library / "indexes").iterdir()} - announced
        self.require(not strays, f"index files are left over: {strays}")
        calm = self.place / "calm"
        shutil.rmtree(calm, ignore_errors=True)
        with Library.open(calm, create=True) as reference, Library.open(self.library) as opened:
            index(reference, [folder], registry.load(Searcher(opened).space.space.model))
            for words in QUERIES:
                both = [
                    sorted((str(hit.path), hit.score) for hit in Searcher(each).search(words, ALL))
                    for each in (reference, opened)
                ]
                self.require(both[0] == both[1], f"{words}: other answers than those of an undisturbed library")
        self.report.comparisons += 1

    # Verbs.

    def some(self, count: int) -> list[int]:
        """Return numbers of pictures that the library certainly has."""
        with Library.open(self.library) as opened, opened.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT digest FROM pictures JOIN contents ON contents.id = content_id WHERE state = 'present'"
            ).scalars()
            known = {self.photos.numbers.get(digest, 0) for digest in rows}
        usable = sorted(number for number in known & self.photos.files.keys() if self._is_known(number))
        return self.chance.sample(usable, min(count, len(usable)))

    def _is_known(self, number: int) -> bool:
        """Return whether the library has the file of a picture as it is now: it may have been renamed since."""
        if number in self._stale:
            return False
        return self.photos.path(number).exists()

    _stale: frozenset[int] = frozenset()
    """Pictures whose files changed since the last complete index run."""

    def change_files(self) -> None:
        self.photos.add(self.chance.choice("ab"), self.chance.randrange(1, 6))
        # A file that is edited and renamed between two runs is another picture, and keeps nothing that was said.
        settled = sorted(self.photos.files.keys() - self._stale)
        if len(settled) < 4:
            return
        numbers = self.chance.sample(settled, 4)
        self.photos.edit(numbers[0])
        self.photos.rename(numbers[1])
        self._stale |= frozenset(numbers[:3])
        if len(self.photos.files) > 60:
            self.photos.delete(numbers[2])

    def index(self) -> None:
        self.change_files()
        ended = self.run(self.said, "index", self.photos.folder, *self.chance.choice(([], ["--full"])))
        if not ended.killed or self.chance.random() < 0.5:
            self.confirmed("index", self.photos.folder)
            self._stale = frozenset()

    def watch(self) -> None:
        self.change_files()
        seconds = self.chance.uniform(0.2, 3)
        files = self._catalogue()
        ended = self.processes.killed_after(self.library, seconds, "watch", self.photos.folder, "--settle", "0.1")
        self.count("watch", ended, "watch")
        self.report.had_written["watch"] += self._catalogue() != files
        facts = self.check("watch, killed").facts()
        self.require(facts == self.said.facts(), f"watch: {facts ^ self.said.facts()}")

    def tag(self) -> None:
        numbers, name = self.some(4), f"tag {self.chance.randrange(6)}"
        after, paths = self.said.copy(), [self.photos.path(number) for number in numbers]
        if self.chance.random() < 0.7:
            after.tags |= {(number, name) for number in numbers}
            self.run(after, "tag", *paths, name)
        else:
            after.tags -= {(number, name) for number in numbers}
            ended = self.processes.killed(self.library, "untag", *paths, name)
            self._allow_nothing(after, ended, "untag")

    def _allow_nothing(self, after: Said, ended: Ended, verb: str) -> None:
        """As `run`, for a command that may find nothing to do (exit code 1)."""
        (self.report.kills if ended.killed else self.report.ended)[verb] += 1
        self.require(ended.killed or ended.code in (0, 1), f"{verb}: {ended.err}")
        before, self.said = self.said, self.check(verb)
        allowed = [after.facts()] + ([before.facts()] if ended.killed else [])
        self.require(self.said.facts() in allowed, f"{verb}: {self.said.facts() ^ after.facts()}")

    def rate(self) -> None:
        numbers, rating = self.some(4), self.chance.randrange(6)
        after = self.said.copy()
        after.ratings |= dict.fromkeys(numbers, rating)
        self.run(after, "rate", rating, *map(self.photos.path, numbers))

    def album(self) -> None:
        """Create, save, extend, reorder, cover, rename or drop an album."""
        after, names = self.said.copy(), sorted(self.said.albums)
        numbers = self.some(4)
        paths = [self.photos.path(number) for number in numbers]
        what = self.chance.choice(("create", "save", "add", "remove", "order", "cover", "rename", "drop"))
        new = f"album {self.chance.randrange(10**6)}"
        if what == "save":
            after.searches[new] = "red"
            self.run(after, "album", "save", new, "red")
            return
        if what == "create" or len(names) < 3:
            after.albums[new] = list(numbers)
            self.run(after, "album", "create", new, *paths)
            return
        name = self.chance.choice(names)
        members = after.albums[name]
        present = [number for number in members if number in self.photos.files and number not in self._stale]
        if what == "add":
            members += [number for number in numbers if number not in members]
            self.run(after, "album", "add", name, *paths)
        elif what in ("rename", "drop"):
            del after.albums[name]
            cover = after.covers.pop(name, None)
            if what == "rename":
                after.albums[new] = members
                after.covers |= {} if cover is None else {new: cover}
            self.run(after, "album", what, name, *([new] if what == "rename" else []))
        elif present:
            number = self.chance.choice(present)
            path = self.photos.path(number)
            if what == "remove":
                members.remove(number)
                if after.covers.get(name) == number:
                    del after.covers[name]
            elif what == "order":
                members.remove(number)
                members.insert(0, number)
            else:
                after.covers[name] = number
            self.run(after, "album", what, name, path)

    def distinct(self) -> None:
        numbers = self.some(2)
        after = self.said.copy()
        after.distinct |= {frozenset(numbers)}
        self.run(after, "distinct", *map(self.photos.path, numbers))

    def use_model(self) -> None:
        self.run(self.said, "models", "use", self.chance.choice(("fake", "paint")))

    def backup(self) -> None:
        """A killed backup leaves the snapshot that was there, or a new one: either can be restored."""
        file = self.place / "said.jsonl.gz"
        self.run(self.said, "backup", *self.chance.choice(([], [file])))
        if file.exists() and self.chance.random() < 0.3:
            codes = (0, 1)  # 1: pictures were forgotten, or edited and renamed, since an earlier backup
            self.confirmed("restore", file, "--dry-run", codes=codes)

    def restore(self) -> None:
        file = self.place / "kept.jsonl.gz"
        self.confirmed("backup", file)
        kept = self.said.copy()
        for name in self.chance.sample(sorted(self.said.albums), min(2, len(self.said.albums))):
            self.confirmed("album", "drop", name)
            del self.said.albums[name]
            self.said.covers.pop(name, None)
        for rating in self.chance.sample(range(6), 2):
            rated = [number for number, value in self.said.ratings.items() if value == rating]
            usable = [n for n in rated if n in self.photos.files and n not in self._stale]
            if usable:
                self.confirmed("rate", "file", *map(self.photos.path, usable))
                self.said.ratings = {n: value for n, value in self.said.ratings.items() if n not in usable}
        after = self.said.joined(kept)
        self.run(after, "restore", file, whole=False)
        self.confirmed("restore", file)
        self.said = self.check("restored")
        facts = self.said.facts()
        self.require(facts == after.facts(), f"restored: {facts ^ after.facts()}")

    def move_root(self) -> None:
        old, new = self.photos.folder, self.place / f"photos-{self._number}"
        self.photos.move(new)
        ended = self.run(self.said, "move-root", old, new, "--force")
        if ended.killed:
            with Library.open(self.library) as opened, opened.read() as connection:
                roots = set(connection.exec_driver_sql("SELECT path FROM roots WHERE kind = 'folder'").scalars())
            self.require(roots in ({os.fsencode(old)}, {os.fsencode(new)}), f"move-root: roots are {roots}")
            if roots == {os.fsencode(old)}:
                self.confirmed("move-root", old, new, "--force")

    def import_vectors(self) -> None:
        """An imported space is complete, or not there."""
        file, ids = self.place / "vectors.npy", self.place / "ids.txt"
        vectors = np.random.default_rng(self._number).normal(size=(400, 8)).astype(np.float32)
        np.save(file, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
        ids.write_text("".join(f"document {number}\n" for number in range(400)))
        self.run(self.said, "import", file, "--ids", ids, "--space", "imported", "--replace")
        with Library.open(self.library) as opened, opened.read() as connection:
            counts = connection.exec_driver_sql(
                "SELECT count(*) FROM embeddings JOIN spaces ON spaces.id = space_id "
                "WHERE model = 'imported' AND weights NOT LIKE 'imported:unfinished:%'"
            ).scalar()
        self.require(counts in (0, 400), f"import: {counts} of 400 vectors")

    def forget(self) -> None:
        """Forget a folder with tagged and other pictures."""
        numbers = self.photos.add("gone", 5)
        self.confirmed("index", self.photos.folder)
        self._stale = frozenset()
        self.confirmed("tag", *map(self.photos.path, numbers[:2]), "gone")
        self.said.tags |= {(number, "gone") for number in numbers[:2]}
        for number in numbers:
            self.photos.delete(number)
        gone = self.photos.folder / "gone"
        after = self.said.without(numbers)
        self.run(after, "forget", gone)
        if self.said.facts() != after.facts():
            self.confirmed("forget", gone)
            self.said = self.check("forgotten")
            self.require(self.said.facts() == after.facts(), "forget, again")

    def upgrade(self) -> None:
        """Upgrade a copy of the library that is made one of an older version; kill that up to three times."""
        copy = self.place / "older"
        shutil.rmtree(copy, ignore_errors=True)
        with Library.open(self.library):
            shutil.copytree(self.library, copy)
        _downgrade(copy, f"{self.chance.randrange(OLDEST, int(schema.HEAD)):04}")
        before = read_said(copy, self.photos.numbers).facts()
        for _ in range(3):
            ended = self.processes.killed(copy, "status", "--json")
            self.count("status", ended, "status of an older library")
            if not ended.killed:
                break
        with Library.open(copy) as opened:
            faults = [fault for fault in verify(opened) if fault.kind != "unembedded"]
            self.require(not faults, f"upgraded: {faults}")
        facts = read_said(copy, self.photos.numbers).facts()
        self.require(facts == before, f"upgraded: {facts ^ before}")


def _text_vector(words: str) -> Any:
    vector = registry.load("fake").encode_texts([words])[0]
    return np.asarray(vector, np.float32)


def _downgrade(path: Path, revision: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    with Library.open(path) as library, library.transaction() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def install_paint(site: Path) -> None:
    """Install the model `paint` for this process and those that it starts."""
    info = site / "paint_model-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "paint_model.py").write_text(PLUGIN, encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: paint_model\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(
        f"[{registry.ENCODERS.group}]\npaint = paint_model:Paint\n", encoding="utf-8"
    )
    sys.path.insert(0, str(site))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))


def soak(place: Path, kills: int, seconds: float, seed: int, say: Callable[[str], None] = lambda _text: None) -> Report:
    """Kill commands until there were so many kills, or the time is over, or three faults were found."""
    began = monotonic()
    run = Soak(place, seed)
    while run.report.kills.total() < kills and monotonic() - began < seconds and len(run.report.faults) < 3:
        known = len(run.report.faults)
        run.step()
        for fault in run.report.faults[known:]:
            say(fault)
    run.complete()
    run.report.seconds = monotonic() - began
    return run.report


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run the soak, and print what was killed; the exit code is 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder that does not exist, for the library; it is kept")
    options = parser.parse_args()
    place = options.keep or Path(tempfile.mkdtemp())
    place.mkdir(parents=True, exist_ok=True)
    try:
        install_paint(place / "site")
        report = soak(place, options.kills, options.minutes * 60, options.seed, _say)
    finally:
        if options.keep is None:
            shutil.rmtree(place)
    _say(str(report))
    sys.exit(1 if report.faults else 0)


if __name__ == "__main__":
    main()
