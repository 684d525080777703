"""Imports that are stopped at any block: searches do not see them, others can write, and a second one continues."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from time import monotonic

import numpy as np
import pytest
from sqlalchemy import func, select

from core.errors import BadVectorFile, SpaceExists, UnknownSpace
from encoders.fake import FakeEncoder
from indexer import index
from search import Searcher
from store import Library
from store.catalog.tables import Content, Embedding, FrameRow, Picture, Root, SpaceRow
from store.check import repair, verify
from store.exchange import ImportHooks, ImportSettings, ImportSummary, import_vectors, open_vectors
from store.exchange import remove_replaced_spaces as remove_replaced
from store.exchange import vector_file as blocks
from store.exchange.vector_file import ItemName, name_to_json
from store.filters.conditions import FieldTest, Not, Op
from store.filters.facets import count_facets
from store.filters.selection import matching_ids
from store.folders import list_folder
from store.kept_counts.keeping import keep_counts
from store.queries import count_documents, load_content_records, newest_contents
from store.spaces.drop import forget_space
from store.spaces.registry import active_space, list_spaces, named_space
from store.tags import Tagging, add_tags, tags_of
from store.timeline import load_days
from tests.support.vectors import Vectors, unit_vectors

Write = Callable[..., tuple[Path, Path | None]]
IMPORTING = sys.modules["store.exchange.import_vectors"]  # the package has a function of the same name
SIZE = 40
"""Vectors of one block in these tests."""


class Stopped(Exception):
    """Ends an import, as a kill does between two transactions."""


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("vector_file", "npy"):
        monkeypatch.setattr(f"store.exchange.{module}.BLOCK_SIZE", SIZE)
    monkeypatch.setattr(IMPORTING, "PAUSE_SECONDS", 0)
    assert blocks.BLOCK_SIZE == SIZE


@pytest.fixture
def source(write_vectors: Write) -> Callable[..., "Source"]:
    return lambda *args, **options: Source(write_vectors, *args, **options)


class Source:
    """Vectors with the names n0, n1, ... of three blocks and a bit, or others."""

    def __init__(
        self, write: Write, count: int = 3 * SIZE + 5, seed: int = 0, names: list[bytes] | None = None
    ) -> None:
        self.vectors: Vectors = unit_vectors(count, 8, seed=seed)
        self.names = names or [b"n%d" % number for number in range(count)]
        self.files = write(self.vectors, self.names)

    def run(self, library: Library, hooks: ImportHooks | None = None, **settings: object) -> ImportSummary:
        opened = open_vectors(*self.files, as_paths=bool(settings.get("root")))
        return import_vectors(library, opened, "elsewhere", ImportSettings(**settings), hooks)  # type: ignore[arg-type]

    def stop(self, library: Library, after: int, **settings: object) -> None:
        """Stop an import after so many blocks have been checked or written."""
        left = iter(range(after - 1))

        def advance(_: int) -> None:
            if next(left, None) is None:
                raise Stopped

        with pytest.raises(Stopped):
            self.run(library, ImportHooks(advance=advance), **settings)


def counts(library: Library) -> list[int]:
    with library.read() as connection:
        return [
            connection.scalar(select(func.count()).select_from(table)) or 0
            for table in (SpaceRow, Root, Content, Picture, Embedding)
        ]


def found(library: Library, query: Vectors) -> list[tuple[str, object]]:
    hits = Searcher(library, space="elsewhere").nearest(query, k=10)
    return [(str(hit.name), hit.score) for hit in hits]


def expected(source: Source, query: Vectors) -> list[tuple[str, object]]:
    scores = source.vectors @ query
    best = np.argsort(-scores, kind="stable")[:10]
    return [(source.names[row].decode(), pytest.approx(float(scores[row]), abs=1e-5)) for row in best]


@pytest.mark.parametrize("after", range(1, 9))
def test_an_import_stopped_at_any_block_is_invisible_and_continues(
    library: Library, album: Path, source: Callable[..., Source], after: int
) -> None:
    index(library, [album], FakeEncoder())
    given, before = source(), counts(library)
    given.stop(library, after)
    if after <= 4:  # while the file is checked
        assert counts(library) == before
    assert [summary.stored.space.model for summary in list_spaces(library)] == ["fake"]
    assert (count_documents(library), len(list_folder(library, None).folders)) == (0, 1)  # type: ignore[union-attr]
    with pytest.raises(UnknownSpace):
        named_space(library, "elsewhere")
    assert verify(library) == []
    written = counts(library)
    done = given.run(library)
    assert (done.vectors, done.documents, done.active) == (125, 125, False)
    assert counts(library)[4] == before[4] + 125
    assert counts(library)[2] >= written[2]
    assert found(library, unit_vectors(1, 8, seed=3)[0]) == expected(given, unit_vectors(1, 8, seed=3)[0])
    assert list_spaces(library, unfinished=True) == list_spaces(library)
    assert verify(library) == []


def listed(library: Library) -> list[int]:
    """How many pictures each list has that people see: facets, days, folders and pages, of all and of some."""
    of_no_camera = Not(FieldTest("camera", Op.EXISTS))
    folders = list_folder(library, None)
    assert folders is not None
    return [
        *(count_facets(library, condition).pictures for condition in (None, of_no_camera)),
        *(len(load_days(library, condition).shapes) for condition in (None, of_no_camera)),
        *(len(newest_contents(library, condition, 200).records) for condition in (None, of_no_camera)),
        *(newest_contents(library, condition, 200).total for condition in (None, of_no_camera)),
        len(matching_ids(library, of_no_camera)),
        sum(folder.below for folder in folders.folders),
    ]


@pytest.mark.parametrize("few", [True, False], ids=["rows", "columns"])
def test_documents_are_in_no_list_until_their_import_is_complete(
    library: Library, album: Path, source: Callable[..., Source], monkeypatch: pytest.MonkeyPatch, few: bool
) -> None:
    """Nor are those of a space that another one has replaced."""
    if not few:
        monkeypatch.setattr("store.kept_counts.by_date.MIN_BLOCKS", 0)
        monkeypatch.setattr("store.timeline.MIN_PICTURES", 0)
        monkeypatch.setattr("store.kept_counts.selected.MIN_EACH", 0)
    index(library, [album], FakeEncoder())
    given = source()
    assert listed(library) == [4] * 10
    given.stop(library, 7)
    assert listed(library) == [4] * 10
    keep_counts(library)
    given.run(library)
    assert listed(library) == [129] * 10
    assert verify(library) == []
    other = source(seed=1, names=[b"other%d" % number for number in range(3 * SIZE + 5)])
    other.stop(library, 8, replace=True)
    assert listed(library) == [129] * 10
    other.run(library, replace=True)
    assert listed(library) == [129] * 10
    assert verify(library) == []


@pytest.mark.parametrize("after", range(1, 9))
def test_the_replaced_space_answers_until_the_new_one_is_complete(
    library: Library, source: Callable[..., Source], after: int
) -> None:
    old, query = source(), unit_vectors(1, 8, seed=3)[0]
    before = old.run(library)
    new = source(seed=7, names=[b"n%d" % number for number in range(50, 3 * SIZE + 55)])
    new.stop(library, after, replace=True)
    assert (active_space(library), count_documents(library)) == (before.stored, 125)
    assert found(library, query) == expected(old, query)
    assert verify(library) == []
    assert new.run(library, replace=True).active
    assert found(library, query) == expected(new, query)
    assert counts(library) == [1, 1, 125, 125, 125]
    assert verify(library) == []


def test_what_was_said_about_documents_survives_their_replacement(
    library: Library, source: Callable[..., Source]
) -> None:
    source().run(library)
    with library.read() as connection:
        content = connection.scalar(select(Picture.content_id).where(Picture.relpath == b"n70"))
    assert content is not None
    add_tags(library, [Tagging(content, "kept")])
    source(seed=7).run(library, replace=True)
    assert [tag.name for tag in tags_of(library, [content])[content]] == ["kept"]
    assert os.fsencode(load_content_records(library, [content])[content].document or "") == b"n70"


def test_another_import_under_the_name_removes_what_was_stopped(
    library: Library, source: Callable[..., Source]
) -> None:
    source(seed=1).stop(library, 7)
    assert len(list_spaces(library, unfinished=True)) == 1
    other = source(count=10, seed=2)
    other.run(library)
    assert counts(library) == [1, 1, 10, 10, 10]
    assert verify(library) == []


def test_the_same_vectors_with_other_names_do_not_continue(library: Library, source: Callable[..., Source]) -> None:
    source().stop(library, 7)
    given = source(names=[b"m%d" % number for number in range(3 * SIZE + 5)])
    given.run(library)
    assert counts(library) == [1, 1, 125, 125, 125]
    assert {name[0] for name, _ in found(library, given.vectors[0])} == {"m"}


def test_a_stopped_import_can_be_forgotten(library: Library, source: Callable[..., Source]) -> None:
    source().stop(library, 7)
    forget_space(library, named_space(library, "elsewhere", unfinished=True))
    assert counts(library) == [0, 0, 0, 0, 0]


def test_a_kill_while_the_replaced_space_is_removed_leaves_a_complete_space(
    library: Library, source: Callable[..., Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    source().run(library)
    new = source(seed=7)

    def stop(*_args: object, **_named: object) -> None:
        raise Stopped

    with monkeypatch.context() as patched:
        patched.setattr(IMPORTING, "forget_space", stop)
        with pytest.raises(Stopped):
            new.run(library, replace=True)
    query = unit_vectors(1, 8, seed=3)[0]
    assert found(library, query) == expected(new, query)
    assert (len(list_spaces(library)), len(list_spaces(library, unfinished=True))) == (1, 2)
    assert count_documents(library) == 125
    assert verify(library) == []
    assert remove_replaced(library) == ["elsewhere"]
    assert counts(library) == [1, 1, 125, 125, 125]
    assert verify(library) == []


def test_others_write_between_the_blocks(library: Library, album: Path, source: Callable[..., Source]) -> None:
    """Each block waits until another thread has held the library in between."""
    index(library, [album], FakeEncoder())
    given, wanted, done, over = source(), Event(), Event(), Event()
    waits: list[float] = []

    def write() -> None:
        while wanted.wait(60) and not over.is_set():
            wanted.clear()
            began = monotonic()
            with library.exclusive() as writer, writer.transaction():
                waits.append(monotonic() - began)
            done.set()

    def advance(_: int) -> None:
        done.clear()
        wanted.set()
        assert done.wait(60)

    other = Thread(target=write)
    other.start()
    try:
        given.run(library, ImportHooks(advance=advance))
    finally:
        over.set()
        wanted.set()
        other.join()
    assert len(waits) == 8


def test_pictures_indexed_while_an_import_was_stopped_replace_its_documents(
    library: Library, album: Path, source: Callable[..., Source]
) -> None:
    names = [b"red.png", *(b"x%d" % number for number in range(2 * SIZE))]
    given = source(count=len(names), names=names)
    given.stop(library, 4, root=album)
    index(library, [album], FakeEncoder())
    done = given.run(library, root=album)
    assert (done.pictures, done.documents) == (1, 2 * SIZE)
    assert count_documents(library) == 2 * SIZE
    hits = Searcher(library, space="elsewhere").nearest(given.vectors[0], k=1)
    assert hits[0].path == album / "red.png"
    assert verify(library) == []


@pytest.mark.parametrize("is_named", [True, False])
def test_a_copy_of_a_file_that_changed_while_an_import_was_stopped_does_not_keep_its_vector(
    library: Library, album: Path, source: Callable[..., Source], paint: Callable[..., Path], is_named: bool
) -> None:
    """The vector of the first name of a content is imported: that is another name now, or none."""
    (album / "copy.png").write_bytes((album / "red.png").read_bytes())
    index(library, [album], FakeEncoder())
    names = [b"red.png", *([b"copy.png"] if is_named else []), *(b"x%d" % number for number in range(2 * SIZE))]
    given = source(count=len(names), names=names)
    given.stop(library, 4, root=album)
    paint(album / "red.png", "white")
    index(library, [album], FakeEncoder())
    done = given.run(library, root=album)
    assert (done.pictures, done.copies) == (1 + is_named, 0)
    found_for = [Searcher(library, space="elsewhere").nearest(given.vectors[row], k=1)[0] for row in range(2)]
    assert [hit.score for hit in found_for] == [pytest.approx(1, abs=1e-3)] * 2
    assert [hit.path for hit in found_for][: 1 + is_named] == [album / "red.png", album / "copy.png"][: 1 + is_named]
    assert done.vectors == next(each.vectors for each in list_spaces(library) if each.stored == done.stored)
    assert verify(library) == []


def test_contents_forgotten_in_between_are_no_fault(
    library: Library, album: Path, source: Callable[..., Source]
) -> None:
    index(library, [album], FakeEncoder())
    names = [b"red.png", b"blue.png", *(b"x%d" % number for number in range(2 * SIZE))]
    given = source(count=len(names), names=names)
    given.stop(library, 4, root=album)
    with library.transaction() as connection:
        red = connection.scalar(select(Picture.id).where(Picture.relpath == b"red.png"))
        connection.execute(Picture.__table__.delete().where(Picture.id == red))  # type: ignore[attr-defined]
    repair(library)
    done = given.run(library, root=album)
    assert (done.pictures, done.documents, done.unknown_paths) == (1, 2 * SIZE + 1, 2 * SIZE + 1)
    assert verify(library) == []


def test_a_file_that_changes_while_it_is_imported_is_refused(library: Library, source: Callable[..., Source]) -> None:
    given, seen = source(), []

    def advance(_: int) -> None:
        seen.append(_)
        if len(seen) == 4:  # it has been checked
            np.save(given.files[0], unit_vectors(len(given.vectors), 8, seed=9))

    with pytest.raises(BadVectorFile, match="changed while it was imported"):
        given.run(library, ImportHooks(advance=advance))
    assert (list_spaces(library), count_documents(library)) == ([], 0)
    given = source(seed=9)
    given.run(library)
    assert counts(library) == [1, 1, 125, 125, 125]


def test_names_that_change_while_vectors_are_imported_are_refused(
    library: Library, source: Callable[..., Source]
) -> None:
    """The vectors are the same: those of the first blocks would keep the names that the file had before."""
    given, seen = source(), list[int]()

    def advance(_: int) -> None:
        seen.append(_)
        if len(seen) == 4:  # it has been checked
            assert given.files[1] is not None
            given.files[1].write_text("".join(f"m{number}\n" for number in range(len(given.vectors))))

    with pytest.raises(BadVectorFile, match="changed while it was imported"):
        given.run(library, ImportHooks(advance=advance))
    assert (list_spaces(library), count_documents(library)) == ([], 0)


def test_a_space_made_in_the_meantime_is_not_replaced(library: Library, source: Callable[..., Source]) -> None:
    """Another program may register a space of that name while vectors are written."""
    given = source()

    def advance(_: int) -> None:
        with library.exclusive() as writer, writer.transaction() as connection:
            row = connection.execute(select(SpaceRow.id).where(SpaceRow.weights == "theirs")).first()
            if row is None:
                values = {"fingerprint": "f" * 64, "model": "elsewhere", "weights": "theirs", "dim": 8}
                now = func.now()
                connection.execute(
                    SpaceRow.__table__.insert().values(  # type: ignore[attr-defined]
                        **values, preprocessing={}, dtype="float16", created_at=now
                    )
                )

    with pytest.raises(SpaceExists, match="a model"):
        given.run(library, ImportHooks(advance=advance), replace=True)
    assert [summary.stored.space.weights for summary in list_spaces(library)] == ["theirs"]


def test_pages_that_the_new_space_lacks_are_removed(library: Library, tmp_path: Path) -> None:
    def run(pages: int) -> ImportSummary:
        names = [ItemName(b"scan", frame=frame) for frame in range(pages)] + [ItemName(b"single")]
        np.save(tmp_path / "v.npy", unit_vectors(len(names), 4, seed=pages))
        (tmp_path / "names.jsonl").write_text("".join(name_to_json(name) + "\n" for name in names))
        opened = open_vectors(tmp_path / "v.npy", tmp_path / "names.jsonl")
        return import_vectors(library, opened, "elsewhere", ImportSettings(replace=True))

    for pages, rows in ((4, 4), (2, 2), (1, 0), (3, 3)):
        run(pages)
        with library.read() as connection:
            assert connection.scalar(select(func.count()).select_from(FrameRow)) == rows
        assert verify(library) == []


@pytest.fixture
def colliding(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("store.exchange.checking._hash", lambda value: len(value))
    yield


@pytest.mark.usefixtures("colliding")
def test_names_with_equal_hashes_are_not_taken_for_one(library: Library, source: Callable[..., Source]) -> None:
    assert source().run(library).documents == 125
    names = [b"n%d" % number for number in range(124)] + [b"n3"]
    with pytest.raises(BadVectorFile, match=r"The name n3 occurs twice, the second time in row 124\."):
        source(names=names).run(library, replace=True)


def test_relative_paths_of_another_folder_do_not_continue(
    library: Library, tmp_path: Path, source: Callable[..., Source]
) -> None:
    given = source()
    given.stop(library, 7, root=tmp_path)
    given.stop(library, 7, root=tmp_path / "other")
    assert len(list_spaces(library, unfinished=True)) == 1
