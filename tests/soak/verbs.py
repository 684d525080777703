"""The commands that are killed, and what each must leave."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from store import Library
from store.catalog import schema
from store.check import verify
from tests.soak.albums import change_album
from tests.soak.checked_library import CheckedLibrary
from tests.soak.paint_model import PAINT
from tests.soak.said import read_said

__all__ = ["VERBS"]

OLDEST = 6
"""The oldest revision that libraries are upgraded from: earlier ones have no groups of near-duplicates."""

MAX_PICTURES = 60


def _change_files(library: CheckedLibrary) -> None:
    """Add, edit, rename and delete pictures, which no command has noticed yet."""
    photos = library.photos
    photos.add(library.chance.choice("ab"), library.chance.randrange(1, 6))
    # A file that is edited and renamed between two runs is another picture, and keeps nothing that was said.
    settled = sorted(photos.files.keys() - library.stale)
    if len(settled) < 4:
        return
    edited, renamed, superfluous = library.chance.sample(settled, 3)
    photos.edit(edited)
    photos.rename(renamed)
    library.stale |= {edited, renamed}
    if len(photos.files) > MAX_PICTURES:
        photos.delete(superfluous)
        library.stale |= {superfluous}


def index(library: CheckedLibrary) -> None:
    _change_files(library)
    folder = library.photos.folder
    ended = library.run(library.said, "index", folder, *library.chance.choice(([], ["--full"])))
    if not ended.killed or library.chance.random() < 0.5:
        library.confirmed("index", folder)
        library.stale = frozenset()


def watch(library: CheckedLibrary) -> None:
    _change_files(library)
    library.kill("watch", library.photos.folder, "--settle", "0.1", seconds=library.chance.uniform(0.2, 3))
    library.check("watch, killed", library.said)


def tag(library: CheckedLibrary) -> None:
    numbers, name = library.some(4), f"tag {library.chance.randrange(6)}"
    after, paths = library.said.copy(), [library.photos.path(number) for number in numbers]
    if library.chance.random() < 0.7:
        after.tags |= {(number, name) for number in numbers}
        library.run(after, "tag", *paths, name)
    else:
        after.tags -= {(number, name) for number in numbers}
        library.run(after, "untag", *paths, name, codes=(0, 1))  # 1: no picture has the tag


def rate(library: CheckedLibrary) -> None:
    numbers, rating = library.some(4), library.chance.randrange(6)
    after = library.said.copy()
    after.ratings |= dict.fromkeys(numbers, rating)
    library.run(after, "rate", rating, *map(library.photos.path, numbers))


def distinct(library: CheckedLibrary) -> None:
    numbers = library.some(2)
    after = library.said.copy()
    after.distinct |= {frozenset(numbers)}
    library.run(after, "distinct", *map(library.photos.path, numbers))


def use_model(library: CheckedLibrary) -> None:
    library.run(library.said, "models", "use", library.chance.choice(("fake", PAINT)))


def backup(library: CheckedLibrary) -> None:
    """A killed backup leaves the snapshot that was there, or a new one: either can be restored."""
    file = library.place / "said.jsonl.gz"
    library.run(library.said, "backup", *library.chance.choice(([], [file])))
    if file.exists() and library.chance.random() < 0.3:
        codes = (0, 1)  # 1: pictures were forgotten, or edited and renamed, since an earlier backup
        library.confirmed("restore", file, "--dry-run", codes=codes)


def restore(library: CheckedLibrary) -> None:
    """Restore what was said after some of it was removed. A killed restore leaves a part of it."""
    file = library.place / "kept.jsonl.gz"
    library.confirmed("backup", file)
    kept = library.said.copy()
    _remove_some_of_what_was_said(library)
    after = library.said.joined(kept)
    library.run(after, "restore", file, whole=False)
    library.confirmed("restore", file)
    library.said = library.check("restored", after)


def _remove_some_of_what_was_said(library: CheckedLibrary) -> None:
    said = library.said
    for name in library.chance.sample(sorted(said.albums), min(2, len(said.albums))):
        library.confirmed("album", "drop", name)
        del said.albums[name]
        said.covers.pop(name, None)
    for rating in library.chance.sample(range(6), 2):
        rated = [number for number, value in said.ratings.items() if value == rating]
        usable = [number for number in rated if number in library.photos.files and number not in library.stale]
        if usable:
            library.confirmed("rate", "file", *map(library.photos.path, usable))
            said.ratings = {number: value for number, value in said.ratings.items() if number not in usable}


def upgrade(library: CheckedLibrary) -> None:
    """Upgrade a copy of the library that is made one of an older version; kill that up to three times."""
    copy = library.place / "older"
    shutil.rmtree(copy, ignore_errors=True)
    with Library.open(library.path):
        shutil.copytree(library.path, copy)
    _downgrade(copy, f"{library.chance.randrange(OLDEST, int(schema.HEAD)):04}")
    before = read_said(copy, library.photos.numbers).facts()
    for _ in range(3):
        ended = library.processes.killed(copy, "status", "--json")
        library.count("status", ended, "status of an older library")
        if not ended.killed:
            break
    with Library.open(copy) as opened:
        faults = [fault for fault in verify(opened) if fault.kind != "unembedded"]
        library.require(not faults, f"upgraded: {faults}")
    facts = read_said(copy, library.photos.numbers).facts()
    library.require(facts == before, f"upgraded: {facts ^ before}")


def _downgrade(path: Path, revision: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    with Library.open(path) as library, library.transaction() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def move_root(library: CheckedLibrary) -> None:
    old, new = library.photos.folder, library.place / f"photos-{library.step}"
    library.photos.move(new)
    ended = library.run(library.said, "move-root", old, new, "--force")
    if ended.killed:
        with Library.open(library.path) as opened, opened.read() as connection:
            roots = set(connection.exec_driver_sql("SELECT path FROM roots WHERE kind = 'folder'").scalars())
        library.require(roots in ({os.fsencode(old)}, {os.fsencode(new)}), f"move-root: roots are {roots}")
        if roots == {os.fsencode(old)}:
            library.confirmed("move-root", old, new, "--force")


def import_vectors(library: CheckedLibrary) -> None:
    """An imported space is complete, or not there."""
    file, ids = library.place / "vectors.npy", library.place / "ids.txt"
    vectors = np.random.default_rng(library.step).normal(size=(400, 8)).astype(np.float32)
    np.save(file, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    ids.write_text("".join(f"document {number}\n" for number in range(400)))
    library.run(library.said, "import", file, "--ids", ids, "--space", "imported", "--replace")
    with Library.open(library.path) as opened, opened.read() as connection:
        counts = connection.exec_driver_sql(
            "SELECT count(*) FROM embeddings JOIN spaces ON spaces.id = space_id "
            "WHERE model = 'imported' AND weights NOT LIKE 'imported:unfinished:%'"
        ).scalar()
    library.require(counts in (0, 400), f"import: {counts} of 400 vectors")


def forget(library: CheckedLibrary) -> None:
    """Forget a folder with tagged and other pictures."""
    photos = library.photos
    numbers = photos.add("gone", 5)
    library.confirmed("index", photos.folder)
    library.stale = frozenset()
    library.confirmed("tag", *map(photos.path, numbers[:2]), "gone")
    library.said.tags |= {(number, "gone") for number in numbers[:2]}
    for number in numbers:
        photos.delete(number)
    gone = photos.folder / "gone"
    after = library.said.without(numbers)
    library.run(after, "forget", gone)
    if library.said.facts() != after.facts():
        library.confirmed("forget", gone)
        library.said = library.check("forgotten", after)


VERBS: tuple[Callable[[CheckedLibrary], None], ...] = (
    index,
    index,  # the most frequent command
    watch,
    tag,
    rate,
    change_album,
    distinct,
    use_model,
    backup,
    restore,
    upgrade,
    move_root,
    import_vectors,
    forget,
)
"""One of these is killed at each step, all with the same probability."""
