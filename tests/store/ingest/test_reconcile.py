"""The census: what a scan saw, held against what the catalogue knows. The files exist; nothing looks into them."""

from collections import Counter
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from sqlalchemy import select

from core.errors import RootUnavailable
from encoders.fake import FakeEncoder
from store import Library
from store.catalog.tables import Embedding, Failure, Picture, Root, State
from store.ingest import reconcile
from store.ingest.batch_writer import ContentFacts, Outcome, Refused, Taken, Work
from store.ingest.reconcile import Sighting, open_census
from store.queries import counts, failures
from store.roots import Place, ensure_root
from store.spaces.registry import StoredSpace, activate, register

Files: TypeAlias = dict[str, str]
"""Path to content; the size and the time of a file follow from its content unless said otherwise."""

Run: TypeAlias = Callable[..., Counter[str]]


@pytest.fixture
def stored(library: Library) -> StoredSpace:
    with library.write() as connection:
        space = register(connection, FakeEncoder().space)
        activate(connection, space)
    return space


@pytest.fixture
def place(library: Library, tmp_path: Path) -> Place:
    return ensure_root(library, tmp_path / "photos")


def vector(content: str) -> np.ndarray:
    raw = np.frombuffer(sha256(content.encode()).digest()[:13], np.uint8).astype(np.float32) + 1
    return np.asarray(raw / np.linalg.norm(raw), np.float32)


def sighting(path: str, content: str, mtime: int) -> Sighting:
    return Sighting(path.encode(), len(content), mtime)


@pytest.fixture
def run(library: Library, stored: StoredSpace, place: Place) -> Run:
    """A whole run over these files and no others; counts what became of them, and what had to be `read`."""

    def go(
        files: Files,
        *,
        at: Place = place,
        mtimes: dict[str, int] | None = None,
        broken: Iterable[str] = (),
        shaky: Iterable[str] = (),
        full: bool = False,
        spared: Iterable[bytes] = (),
        guarded: bool = False,
        batch: int = 2,
    ) -> Counter[str]:
        times = mtimes or {}

        def read(work: Work) -> Outcome:
            path = work.relpath.decode()
            content, mtime = files[path], times.get(path, 1)
            if path in broken or path in shaky:
                return Refused(work, len(content), mtime, "undecodable", "broken", transient=path in shaky)
            digest = sha256(content.encode()).digest()
            facts = ContentFacts(len(content), "PNG", 8, 8)
            return Taken(work, len(content), mtime, digest, facts, vector(content))

        arrange(at, files, [*spared])
        total = Counter[str]()
        with open_census(library, at, stored, full=full) as now:
            seen = now.record(sighting(path, content, times.get(path, 1)) for path, content in files.items())
            now.spare(spared)
            if guarded:
                now.guard(seen)
            total["restored"] += now.restore()
            standing = now.standing()
            assert standing.seen == seen == len(files)
            total.update(unchanged=standing.unchanged - total["restored"], failed=standing.failed)
            works = list(now.pending())
            assert len(works) == standing.pending
            total["read"] = len(works)
            for start in range(0, len(works), batch):
                total.update(now.commit([read(work) for work in works[start : start + batch]]))
            total["missing"] += now.mark_missing()
        return +total

    return go


def arrange(place: Place, files: Files, spared: list[bytes]) -> None:
    """Lets the disk hold `files` and no others in this place, but for what lies in folders that cannot be seen."""
    for path in [*place.root.rglob("*")]:
        relpath = bytes(path.relative_to(place.root))
        hidden = any(not folder or relpath.startswith(folder + b"/") for folder in spared)
        inside = not place.beneath or relpath.startswith(place.beneath + b"/")
        if path.is_file() and inside and not hidden:
            path.unlink()
    for name, content in files.items():
        (place.root / name).parent.mkdir(parents=True, exist_ok=True)
        (place.root / name).write_text(content)


def held(library: Library, state: State = State.PRESENT) -> Files:
    """Path to content, as far as the content is a single letter that the vector gives away."""
    letters = {vector(letter).astype("<f2").tobytes(): letter for letter in "abcdefgh"}
    statement = (
        select(Picture.relpath, Embedding.vector)
        .outerjoin(Embedding, Embedding.content_id == Picture.content_id)
        .where(Picture.state == state)
    )
    with library.read() as connection:
        return {row.relpath.decode(): letters.get(row.vector, "") for row in connection.execute(statement)}


def test_new_files_are_read_and_then_left_alone(run: Run, library: Library) -> None:
    files = {"1": "a", "2": "b", "x/3": "c"}
    assert run(files) == {"new": 3, "embedded": 3, "read": 3}
    before = library.revision()
    assert run(files) == {"unchanged": 3}
    assert library.revision() == before  # so that no index is written again
    assert held(library) == files


def test_a_changed_file_gets_a_new_vector(run: Run, library: Library) -> None:
    run({"1": "a", "2": "b"})
    assert run({"1": "c", "2": "b"}, mtimes={"1": 2}) == {"changed": 1, "unchanged": 1, "embedded": 1, "read": 1}
    assert held(library) == {"1": "c", "2": "b"}


def test_a_touched_file_keeps_its_vector(run: Run, library: Library) -> None:
    run({"1": "a"})
    before = library.revision()
    assert run({"1": "a"}, mtimes={"1": 2}) == {"unchanged": 1, "read": 1}
    assert library.revision() == before
    assert run({"1": "a"}, mtimes={"1": 2}) == {"unchanged": 1}


def test_full_reads_everything_and_embeds_nothing_twice(run: Run) -> None:
    run({"1": "a", "2": "b"}, broken=["2"])
    assert run({"1": "a", "2": "b"}, full=True) == {"unchanged": 1, "changed": 1, "embedded": 1, "read": 2}


def test_missing_files_come_back_without_being_read(run: Run, library: Library) -> None:
    files = {"1": "a", "2": "b", "3": "c"}
    run(files)
    assert run({"1": "a"}) == {"unchanged": 1, "missing": 2}
    assert held(library, State.MISSING) == {"2": "b", "3": "c"}
    assert run({"1": "a"}) == {"unchanged": 1}  # still missing is no news
    assert run(files) == {"unchanged": 1, "restored": 2}
    assert held(library) == files


def test_files_that_come_back_with_another_time_are_read_but_not_embedded(run: Run, library: Library) -> None:
    run({"1": "a"})
    run({})
    assert run({"1": "a"}, mtimes={"1": 9}) == {"restored": 1, "read": 1}
    assert run({}) == {"missing": 1}
    assert run({"1": "b"}, mtimes={"1": 10}) == {"changed": 1, "read": 1, "embedded": 1}
    assert held(library) == {"1": "b"}


def test_a_moved_file_keeps_its_row_and_its_vector(run: Run, library: Library) -> None:
    run({"1": "a", "2": "b"})
    with library.read() as connection:
        row = connection.scalar(select(Picture.id).where(Picture.relpath == b"1"))
    assert run({"x/new": "a", "2": "b"}) == {"moved": 1, "unchanged": 1, "read": 1}
    assert held(library) == {"x/new": "a", "2": "b"}
    with library.read() as connection:
        assert connection.scalar(select(Picture.id).where(Picture.relpath == b"x/new")) == row


def test_a_file_that_was_missing_for_long_may_turn_up_elsewhere(run: Run, library: Library) -> None:
    run({"1": "a"})
    run({})
    assert run({"2": "a"}) == {"moved": 1, "read": 1}
    assert held(library, State.MISSING) == {}


def test_a_copy_is_no_move(run: Run, library: Library) -> None:
    run({"1": "a"})
    assert run({"1": "a", "0": "a", "2": "a"}) == {"new": 2, "duplicates": 2, "unchanged": 1, "read": 2}
    assert held(library) == {"0": "a", "1": "a", "2": "a"}


def test_copies_in_one_batch_share_one_vector(run: Run, library: Library) -> None:
    assert run({"1": "a", "2": "a", "3": "a"}, batch=3) == {"new": 3, "duplicates": 2, "embedded": 1, "read": 3}
    with library.read() as connection:
        assert len(connection.execute(select(Embedding.content_id)).all()) == 1


@pytest.mark.parametrize("batch", [1, 5])
def test_one_of_two_moved_copies_takes_one_row(run: Run, library: Library, batch: int) -> None:
    run({"1": "a", "2": "a"})
    assert run({"3": "a", "4": "a", "5": "a"}, batch=batch) == {"moved": 2, "new": 1, "duplicates": 1, "read": 3}
    assert held(library) == {"3": "a", "4": "a", "5": "a"}


def test_two_files_that_change_places_keep_their_vectors(run: Run, library: Library) -> None:
    run({"1": "a", "2": "b"})
    assert run({"1": "b", "2": "a"}, mtimes={"1": 2, "2": 2}) == {"changed": 2, "read": 2}
    assert held(library) == {"1": "b", "2": "a"}


@pytest.mark.parametrize("batch", [1, 5])
@pytest.mark.parametrize("copy", ["0", "2"])
def test_a_file_that_is_back_is_not_taken_for_moved_to_its_copy(
    run: Run, library: Library, copy: str, batch: int
) -> None:
    """The row of the missing file belongs to the file that is back at its path, not to the copy beside it."""
    run({"1": "a"})
    run({})
    assert run({"1": "a", copy: "a"}, mtimes={"1": 7}, batch=batch) == {
        "restored": 1, "new": 1, "duplicates": 1, "read": 2,
    }  # fmt: skip
    assert held(library) == {"1": "a", copy: "a"}


def test_a_file_that_cannot_be_read_is_tried_again_only_when_it_changes(run: Run, library: Library) -> None:
    assert run({"1": "a", "2": "b"}, broken=["2"]) == {"new": 1, "embedded": 1, "failed": 1, "read": 2}
    assert run({"1": "a", "2": "b"}, broken=["2"]) == {"unchanged": 1, "failed": 1}
    assert [(failure.path.name, failure.tries) for failure in failures(library)] == [("2", 1)]
    assert run({"1": "a", "2": "b"}, broken=["2"], mtimes={"2": 2}) == {"unchanged": 1, "failed": 1, "read": 1}
    assert [failure.tries for failure in failures(library)] == [2]
    assert run({"1": "a", "2": "b"}, mtimes={"2": 3}) == {"unchanged": 1, "changed": 1, "embedded": 1, "read": 1}
    assert failures(library) == []
    assert held(library) == {"1": "a", "2": "b"}


def test_trouble_that_may_pass_is_tried_every_time_and_keeps_the_vector(run: Run, library: Library) -> None:
    run({"1": "a"})
    assert run({"1": "a"}, shaky=["1"], mtimes={"1": 2}) == {"failed": 1, "read": 1}
    assert held(library) == {}
    assert run({"1": "a"}, shaky=["1"], mtimes={"1": 2}) == {"failed": 1, "read": 1}
    assert [failure.tries for failure in failures(library)] == [2]
    assert run({"1": "a"}) == {"restored": 1, "read": 1}  # and not embedded
    assert held(library) == {"1": "a"}


def test_trouble_is_over_where_the_file_turns_up_elsewhere(run: Run, library: Library) -> None:
    run({"a": "cat"})
    run({"a": "cat"}, shaky=["a"], mtimes={"a": 2})
    assert [failure.path.name for failure in failures(library)] == ["a"]
    assert run({"b": "cat"}) == {"moved": 1, "read": 1}
    assert failures(library) == []


def test_a_broken_file_gives_up_its_vector(run: Run, library: Library) -> None:
    run({"1": "a"})
    assert run({"1": "x"}, broken=["1"], mtimes={"1": 2}) == {"failed": 1, "read": 1}
    assert held(library) == {}
    assert run({}) == {"missing": 1}
    assert failures(library) == []
    assert counts(library) == {State.PRESENT: 0, State.MISSING: 1, State.FAILED: 0}


def test_a_broken_file_that_was_gone_is_tried_again(run: Run) -> None:
    run({"1": "a", "2": "b"}, broken=["2"])
    run({"1": "a"})
    assert run({"1": "a", "2": "b"}) == {"unchanged": 1, "changed": 1, "embedded": 1, "read": 1}


def test_what_lies_beneath_an_unreadable_folder_is_not_missing(run: Run, library: Library) -> None:
    run({"1": "a", "x/2": "b", "x/y/3": "c", "xx/4": "d", "x.png": "e"})
    assert run({"1": "a"}, spared=[b"x"]) == {"unchanged": 1, "missing": 2}
    assert held(library, State.MISSING) == {"xx/4": "d", "x.png": "e"}
    assert run({"1": "a"}, spared=[b""]) == {"unchanged": 1}


def test_thousands_of_paths_that_cannot_be_looked_at(run: Run) -> None:
    """As in a folder that lists its files and gives out nothing about them; a statement has only so many terms."""
    run({"1": "a", "locked/7.jpg": "b", "x/2": "c", "x0": "d"})
    many = [b"locked/%d.jpg" % number for number in range(3000)]
    assert run({"1": "a"}, spared=[*many, b"x"]) == {"unchanged": 1, "missing": 1}


def test_a_file_is_not_moved_out_of_an_unreadable_folder(run: Run, library: Library, place: Place) -> None:
    run({"x/1": "a"})
    (place.root / "x" / "1").unlink()  # to whoever may not look into a folder, nothing is in it
    assert run({"2": "a"}, spared=[b"x"]) == {"new": 1, "duplicates": 1, "read": 1}
    assert held(library) == {"x/1": "a", "2": "a"}


def test_a_part_of_a_root_says_nothing_of_the_rest(run: Run, library: Library, place: Place) -> None:
    run({"1": "a", "x/2": "b", "x/3": "c", "x-y/4": "d", "x0": "e"})
    part = Place(place.root_id, place.root, b"x")
    assert run({"x/2": "b"}, at=part) == {"unchanged": 1, "missing": 1}
    assert held(library) == {"1": "a", "x/2": "b", "x-y/4": "d", "x0": "e"}


def test_a_file_that_went_from_one_part_to_another_has_moved(run: Run, library: Library, place: Place) -> None:
    """Only the second part is looked at: whether the file is still in the first is asked of the disk."""
    run({"x/1": "a", "x/3": "c", "y/2": "b"})
    (place.root / "x" / "1").unlink()
    part = Place(place.root_id, place.root, b"y")
    assert run({"y/1": "a", "y/2": "b", "y/3": "c"}, at=part) == {
        "unchanged": 1, "moved": 1, "new": 1, "duplicates": 1, "read": 2,
    }  # fmt: skip
    assert held(library) == {"x/3": "c", "y/1": "a", "y/2": "b", "y/3": "c"}


def test_a_file_may_move_from_root_to_root(run: Run, library: Library, tmp_path: Path) -> None:
    other = ensure_root(library, tmp_path / "other")
    run({"1": "a"})
    assert run({"2": "a"}, at=other) == {"new": 1, "duplicates": 1, "read": 1}
    run({})
    assert run({"2": "a", "3": "a"}, at=other) == {"unchanged": 1, "moved": 1, "read": 1}
    with library.read() as connection:
        rows = connection.execute(select(Root.path, Picture.relpath).join(Root).order_by(Picture.relpath)).all()
    other_path = str(tmp_path / "other").encode()
    assert [tuple(row) for row in rows] == [(other_path, b"2"), (other_path, b"3")]


def test_the_same_path_in_two_roots_is_two_pictures(run: Run, library: Library, tmp_path: Path) -> None:
    other = ensure_root(library, tmp_path / "other")
    run({"1": "a"})
    assert run({"1": "b"}, at=other) == {"new": 1, "embedded": 1, "read": 1}
    assert counts(library)[State.PRESENT] == 2
    assert run({}, at=other) == {"missing": 1}
    assert held(library) == {"1": "a"}


MANY = {f"{number:03}": str(number) for number in range(40)}


@pytest.mark.parametrize(
    ("known", "seen", "stops"),
    [(40, 0, True), (40, 3, True), (40, 4, False), (19, 1, False), (20, 1, True), (1, 0, True), (0, 0, False)],
)
def test_an_emptied_root_stops_the_run_and_changes_nothing(
    run: Run, library: Library, place: Place, known: int, seen: int, stops: bool
) -> None:
    """From 20 pictures on, fewer than a tenth of them looks like a disk that is not mounted."""
    run(dict(list(MANY.items())[:known]))
    fewer = dict(list(MANY.items())[:seen])
    if not stops:
        assert run(fewer, guarded=True)["missing"] == known - seen
        return
    before = library.revision()
    with pytest.raises(RootUnavailable) as caught:
        run(fewer, guarded=True)
    assert (caught.value.root, caught.value.known, caught.value.found) == (place.root, known, seen)
    assert library.revision() == before
    assert counts(library)[State.PRESENT] == known
    assert run(fewer)["missing"] == known - seen  # as with --accept-missing


def test_the_guard_looks_only_at_the_part_that_was_asked_for(run: Run, place: Place) -> None:
    run(MANY | {"x/1": "a"})
    with pytest.raises(RootUnavailable) as caught:
        run({}, at=Place(place.root_id, place.root, b"x"), guarded=True)
    assert caught.value.root == place.root / "x"


def test_pages_and_chunks_cover_every_file_once(run: Run, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "PAGE", 3)
    monkeypatch.setattr(reconcile, "CHUNK", 4)
    assert run(MANY, batch=7) == {"new": 40, "embedded": 40, "read": 40}
    assert run(MANY, mtimes=dict.fromkeys(MANY, 2), batch=7) == {"unchanged": 40, "read": 40}
    assert run(MANY, full=True, mtimes=dict.fromkeys(MANY, 2)) == {"unchanged": 40, "read": 40}
    assert counts(library)[State.PRESENT] == 40


def test_a_census_that_is_broken_off_leaves_room_for_the_next(
    library: Library, stored: StoredSpace, place: Place, run: Run
) -> None:
    with pytest.raises(KeyboardInterrupt), open_census(library, place, stored) as now:
        now.record([sighting("1", "a", 1)])
        raise KeyboardInterrupt
    assert run({"2": "b"}) == {"new": 1, "embedded": 1, "read": 1}


def test_a_batch_is_all_or_nothing(library: Library, stored: StoredSpace, place: Place) -> None:
    good = Taken(Work(b"1"), 1, 1, b"1" * 32, ContentFacts(1, "PNG", 8, 8), vector("a"))
    bad = Taken(Work(b"2"), 1, 1, b"2" * 32)  # a content nobody knows, without facts
    with open_census(library, place, stored) as now:
        now.record([sighting("1", "a", 1), sighting("2", "b", 1)])
        with pytest.raises(LookupError):
            now.commit([good, bad])
    assert counts(library)[State.PRESENT] == 0
    with library.read() as connection:
        assert connection.execute(select(Embedding.content_id)).all() == []
        assert connection.execute(select(Failure.picture_id)).all() == []
