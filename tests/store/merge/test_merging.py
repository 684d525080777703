"""Two libraries become one: nothing is lost, nothing is embedded again, and the other one stays as it is."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.event import listen

from core.errors import (
    FolderNotFound,
    ForeignRoot,
    LibraryBusy,
    LibraryOutdated,
    MergeWithItself,
    RootMismatch,
    UnknownRoot,
)
from encoders.base import Encoder
from encoders.fake import FakeEncoder
from indexer import IndexSettings, index
from search.evaluate.kept_judgements import merge_judgements, read_judgements
from store import Library
from store.albums.by_hand import contents_of_album, create_album
from store.albums.records import list_albums
from store.backup.outcomes import Outcome, Statement
from store.backup.records import Judgement
from store.catalog.tables import Base, Content, Picture, PictureState, Root
from store.check import verify
from store.content_digests import digests_of
from store.exchange import import_vectors, open_vectors
from store.merge import loading
from store.merge.merging import MergeHooks, MergeReport, MergeSettings, merge
from store.merge.pictures import write_pictures
from store.merge.placing import RootRelation
from store.merge.spaces import SpaceRelation
from store.near_duplicates.verdicts import count_verdicts, tell_apart
from store.ratings import rate
from store.roots import folder_roots
from store.spaces.registry import active_space, list_spaces
from store.tags import Tagging, add_tags, tags_of
from tests.support.frame_files import write_pages
from tests.support.indexing import CountingEncoder
from tests.support.writers import run_forget

Paint = Callable[..., Path]

MERGED = {
    "album_contents",
    "albums",
    "content_places",
    "content_tags",
    "contents",
    "distinct_pairs",
    "embeddings",
    "failures",
    "frame_embeddings",
    "frames",
    "likenesses",
    "named_places",
    "people",
    "picture_tags",
    "pictures",
    "place_names",
    "places",
    "roots",
    "sidecars",
    "spaces",
    "tags",
    "text_frames",
    "text_lines",
    "text_readings",
    "unread_frames",
    "vector_failures",
    "written_sidecars",
}

LEFT_OUT = {
    "content_blocks": "a cache, whose triggers see the merged rows",
    "kept_counts": "a cache",
    "index_generations": "index files are written again",
    "jobs": "work of the other library",
    "library": "the state of this one",
    "passed_over": "counted again by the next index run",
    "replaced_contents": "unfinished index runs of the other library",
    "vector_changes": "a log of changes to vectors in this library",
}


@pytest.fixture
def make(tmp_path: Path, empty_library: Path) -> Iterator[Callable[..., Library]]:
    """Return a function that makes a library, and indexes folders with it."""
    with ExitStack() as opened:

        def new(name: str, *folders: Path, encoder: Encoder | None = None) -> Library:
            shutil.copytree(empty_library, tmp_path / name)
            library = opened.enter_context(Library.open(tmp_path / name))
            if folders:
                index(library, folders, encoder or FakeEncoder())
            return library

        yield new


def merge_into(library: Library, other: Library, **settings: Any) -> MergeReport:
    other.close()
    with Library.open_to_read(other.path) as opened:
        return merge(library, opened, MergeSettings(**settings))


def vectors_of(library: Library) -> dict[tuple[bytes, int], bytes]:
    """The vectors of all spaces, by digest and number of the frame."""
    first = "SELECT digest, 0, vector FROM embeddings JOIN contents ON contents.id = content_id"
    further = "SELECT digest, number, vector FROM frame_embeddings JOIN contents ON contents.id = content_id"
    with library.read() as connection:
        return {(row[0], row[1]): row[2] for row in connection.execute(text(f"{first} UNION ALL {further}"))}


def files_of(library: Library) -> set[tuple[str, bytes | None, str]]:
    """The paths, contents and states of all files."""
    statement = (
        select(Root.path, Picture.relpath, Content.digest, Picture.state)
        .join(Root, Root.id == Picture.root_id)
        .outerjoin(Content, Content.id == Picture.content_id)
    )
    with library.read() as connection:
        return {
            (os.fsdecode(row.path + b"/" + row.relpath), row.digest, row.state) for row in connection.execute(statement)
        }


def ids_of(library: Library, *names: str) -> list[int]:
    with library.read() as connection:
        rows = connection.execute(select(Picture.relpath, Picture.content_id))
        by_name = {Path(os.fsdecode(row.relpath)).name: row.content_id for row in rows}
    return [by_name[name] for name in names]


def tag(library: Library, name: str, content_ids: Sequence[int]) -> None:
    add_tags(library, [Tagging(content_id, name) for content_id in content_ids])


def state_of(library: Library) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(library.path.rglob("*")) if path.is_file()}


def embedded_by_a_run(library: Library, *folders: Path) -> int:
    encoder = CountingEncoder()
    index(library, folders, encoder)
    return encoder.embedded


@pytest.fixture
def two(make: Callable[..., Library], tmp_path: Path, paint: Paint) -> tuple[Library, Library]:
    """Two libraries with two pictures each, one of them in both."""
    paint(tmp_path / "a" / "red.png", "red")
    paint(tmp_path / "a" / "blue.png", "blue")
    paint(tmp_path / "b" / "green.png", "green")
    shutil.copy(tmp_path / "a" / "red.png", tmp_path / "b" / "copy.png")
    return make("one", tmp_path / "a"), make("other", tmp_path / "b")


def test_every_table_is_merged_or_left_out_on_purpose() -> None:
    tables = set(Base.metadata.tables)
    assert tables - LEFT_OUT.keys() == MERGED, "store.merge has to know what a new table is about"


def test_pictures_and_vectors_come_along_and_nothing_is_embedded_again(
    two: tuple[Library, Library], tmp_path: Path
) -> None:
    library, other = two
    files, vectors = files_of(library) | files_of(other), vectors_of(library) | vectors_of(other)
    other.close()
    before = state_of(other)
    report = merge_into(library, other)
    assert (report.pictures, report.contents) == ({"new": 2}, 1)
    assert list(report.vectors.values()) == [1]
    assert report.without_vector == 0
    assert files_of(library) == files
    assert vectors_of(library) == vectors
    assert state_of(other) == before
    assert not verify(library)
    assert embedded_by_a_run(library, tmp_path / "a", tmp_path / "b") == 0


def test_second_merge_changes_nothing(two: tuple[Library, Library]) -> None:
    library, other = two
    merge_into(library, other)
    with library.read() as connection:
        revision = connection.scalar(text("SELECT revision FROM library"))
    again = merge_into(library, other)
    assert (again.pictures, again.contents) == ({"present": 2}, 0)
    assert sum(again.vectors.values()) == 0
    with library.read() as connection:
        assert connection.scalar(text("SELECT revision FROM library")) == revision


def test_dry_run_counts_the_same_and_writes_nothing(two: tuple[Library, Library]) -> None:
    library, other = two
    tag(other, "rome", ids_of(other, "green.png", "copy.png"))
    create_album(other, "Best", ids_of(other, "green.png", "copy.png"))
    files, spaces = files_of(library), list_spaces(library)
    planned = merge_into(library, other, dry_run=True)
    assert files_of(library) == files
    assert list_spaces(library) == spaces
    assert [path for _, path in folder_roots(library)] == [library.path.parent / "a"]
    done = merge_into(library, other)
    assert (planned.pictures, planned.contents, planned.vectors) == (done.pictures, done.contents, done.vectors)
    assert planned.said.counts == done.said.counts
    assert done.said.counts[Statement.TAGS] == {Outcome.RESTORED: 2}
    assert [each.relation for each in planned.roots] == [each.relation for each in done.roots] == [RootRelation.NEW]


def test_what_people_said_is_added_and_nothing_here_is_replaced(two: tuple[Library, Library]) -> None:
    library, other = two
    green, copy = ids_of(other, "green.png", "copy.png")
    tag(other, "Rome", [green, copy])
    rate(other, [green, copy], 5)
    create_album(other, "Best", [copy, green])
    tell_apart(other, [(min(green, copy), max(green, copy))])
    red, blue = ids_of(library, "red.png", "blue.png")
    tag(library, "warm", [red])
    rate(library, [red], 2)
    create_album(library, "Best", [blue, red])
    report = merge_into(library, other)
    red, blue, green = ids_of(library, "red.png", "blue.png", "green.png")
    tags = tags_of(library, [red, green])
    assert ({tag.name for tag in tags[red]}, {tag.name for tag in tags[green]}) == ({"warm", "Rome"}, {"Rome"})
    with library.read() as connection:
        ratings = {row.id: row.user_rating for row in connection.execute(select(Content.id, Content.user_rating))}
    assert (ratings[red], ratings[green]) == (2, 5)
    (album,) = list_albums(library)
    assert contents_of_album(library, album.name) == [blue, red, green]
    assert count_verdicts(library) == 1
    assert report.said.counts[Statement.RATINGS] == {Outcome.RESTORED: 1, Outcome.KEPT: 1}
    assert report.said.unknown_pictures == 0


def test_judgements_come_along_with_their_pictures(two: tuple[Library, Library], tmp_path: Path) -> None:
    library, other = two
    path = os.fsencode(tmp_path / "b" / "green.png").lstrip(b"/")
    (green,) = ids_of(other, "green.png")
    judged = Judgement("q1", "something green", path, 2, digests_of(other, [green])[green])
    other.close()
    with Library.open_to_read(other.path) as opened:
        hooks = MergeHooks(partial(merge_judgements, library))
        (tmp_path / "b").rename(tmp_path / "mounted")
        moved = {tmp_path / "b": tmp_path / "mounted"}
        report = merge(library, opened, MergeSettings(moved), [judged], hooks)
    assert report.said.counts[Statement.JUDGEMENTS] == {Outcome.RESTORED: 1}
    (here,) = read_judgements(library)
    assert (here.text, here.grade) == ("something green", 2)
    assert here.path == os.fsencode(tmp_path / "mounted" / "green.png").lstrip(b"/")


def test_merge_into_a_new_library_takes_its_model(make: Callable[..., Library], tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "a" / "red.png", "red")
    write_pages(tmp_path / "a" / "pages.tif", "red", "blue", "green")
    (tmp_path / "a" / "broken.png").write_text("no picture")
    other, library = make("other", tmp_path / "a"), make("new")
    vectors, files = vectors_of(other), files_of(other)
    assert len(vectors) == 4
    merge_into(library, other)
    assert active_space(library) is not None
    assert vectors_of(library) == vectors
    assert files_of(library) == files
    assert (str(tmp_path / "a" / "broken.png"), None, PictureState.FAILED) in files_of(library)
    assert not verify(library)
    summary = index(library, [tmp_path / "a"], FakeEncoder())
    assert (summary.unchanged, summary.failed, summary.embedded) == (2, 1, 0)


@pytest.mark.parametrize(
    ("here", "there", "relation", "roots"),
    [
        ("p", "p", RootRelation.SAME, ["p"]),
        ("p", "p/x", RootRelation.INSIDE, ["p"]),
        ("p/x", "p", RootRelation.AROUND, ["p"]),
        ("p/x", "p/y", RootRelation.NEW, ["p/x", "p/y"]),
    ],
)
def test_roots_never_overlap_afterwards(
    make: Callable[..., Library],
    tmp_path: Path,
    paint: Paint,
    here: str,
    there: str,
    relation: RootRelation,
    roots: list[str],
) -> None:
    for name, colour in {"p/one.png": "red", "p/x/two.png": "blue", "p/y/three.png": "green"}.items():
        paint(tmp_path / name, colour)
    library, other = make("one", tmp_path / here), make("other", tmp_path / there)
    files = files_of(library) | files_of(other)
    report = merge_into(library, other)
    assert [each.relation for each in report.roots] == [relation]
    assert sorted(str(path.relative_to(tmp_path)) for _, path in folder_roots(library)) == roots
    assert files_of(library) == files
    assert not verify(library)
    with library.read() as connection:
        stored = connection.execute(select(Picture.relpath, Picture.folder)).all()
    assert all(row.folder == row.relpath.rpartition(b"/")[0] for row in stored)
    assert embedded_by_a_run(library, *(tmp_path / root for root in roots)) == 0


def test_folders_of_another_machine_are_named(two: tuple[Library, Library], tmp_path: Path) -> None:
    library, other = two
    (tmp_path / "b").rename(tmp_path / "mounted")
    report = merge_into(library, other, moved={tmp_path / "b": tmp_path / "mounted"})
    assert [(each.other, each.path) for each in report.roots] == [(tmp_path / "b", tmp_path / "mounted")]
    assert (str(tmp_path / "mounted" / "green.png")) in {path for path, _, _ in files_of(library)}
    summary = index(library, [tmp_path / "mounted"], FakeEncoder())
    assert (summary.unchanged, summary.missing) == (2, 0)
    with pytest.raises(UnknownRoot):
        merge_into(library, other, moved={tmp_path / "nowhere": tmp_path / "mounted"})
    with pytest.raises(FolderNotFound):
        merge_into(library, other, moved={tmp_path / "b": tmp_path / "mistyped"})


def test_other_pictures_under_the_same_path_are_not_mixed_up(
    make: Callable[..., Library], tmp_path: Path, paint: Paint
) -> None:
    names = [f"{number}.png" for number in range(3)]
    for name in names:
        paint(tmp_path / "a" / name, "red", (8, 8))
    other = make("other", tmp_path / "a")
    tag(other, "of the other machine", ids_of(other, "0.png"))
    for name in names:
        paint(tmp_path / "a" / name, "green", (99, 55))
    library = make("one", tmp_path / "a")
    with pytest.raises(RootMismatch) as refused:
        merge_into(library, other)
    assert (refused.value.path, refused.value.checked, refused.value.found) == (tmp_path / "a", 3, 0)
    (content,) = set(ids_of(library, *names))
    assert tags_of(library, [content]) == {}
    assert merge_into(library, other, force=True).pictures == {"kept": 3}
    shutil.rmtree(tmp_path / "a")  # its disk is away
    assert merge_into(library, other).pictures == {"kept": 3}


def test_root_of_another_system_needs_a_place_here(two: tuple[Library, Library], tmp_path: Path) -> None:
    library, other = two
    with other.transaction() as connection:
        connection.execute(text("UPDATE roots SET path = CAST('C:\\Photos' AS BLOB)"))
    files = files_of(library)
    with pytest.raises(ForeignRoot, match=r"C:\\Photos"):
        merge_into(library, other)
    assert files_of(library) == files
    merge_into(library, other, moved={Path("C:\\Photos"): tmp_path / "b"})
    assert str(tmp_path / "b" / "green.png") in {path for path, _, _ in files_of(library)}


def test_record_that_fits_the_file_decides(make: Callable[..., Library], tmp_path: Path, paint: Paint) -> None:
    folder = tmp_path / "a"
    paint(folder / "edited.png", "red")
    paint(folder / "reverted.png", "blue")
    library = make("one", folder)
    tag(library, "mine", ids_of(library, "edited.png"))
    kept = (folder / "reverted.png").read_bytes(), (folder / "reverted.png").stat()
    paint(folder / "edited.png", "green", (9, 9))
    paint(folder / "reverted.png", "yellow", (11, 11))
    other = make("other", folder)
    tag(other, "theirs", ids_of(other, "reverted.png"))
    (folder / "reverted.png").write_bytes(kept[0])
    os.utime(folder / "reverted.png", ns=(kept[1].st_atime_ns, kept[1].st_mtime_ns))
    report = merge_into(library, other)
    assert report.pictures == {"taken": 1, "kept": 1}
    assert not verify(library)
    assert embedded_by_a_run(library, folder) == 0
    edited, reverted = ids_of(library, "edited.png", "reverted.png")
    tags = tags_of(library, [edited, reverted])
    assert [tag.name for tag in tags[edited]] == ["mine"]  # it stays with the file
    assert [tag.name for tag in tags[reverted]] == ["theirs"]  # recognised by its path


def test_file_that_only_the_other_could_read(make: Callable[..., Library], tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "a" / "red.png", "red")
    library, other = make("one", tmp_path / "a"), make("other", tmp_path / "a")
    with library.transaction() as connection:
        picture = connection.scalar(select(Picture.id))
        connection.execute(text("UPDATE pictures SET content_id = NULL, state = 'failed'"))
        connection.execute(
            text("INSERT INTO failures VALUES (:id, 'extra', 'needs an extra', 0, 1, '2026-01-01 00:00:00.000000')"),
            {"id": picture},
        )
    report = merge_into(library, other)
    assert report.pictures == {"taken": 1}
    assert files_of(library) == files_of(other)
    with library.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM failures")) == 0


def test_file_that_only_this_library_could_read_is_here_already(
    make: Callable[..., Library], tmp_path: Path, paint: Paint
) -> None:
    paint(tmp_path / "a" / "red.png", "red")
    library, other = make("one", tmp_path / "a"), make("other", tmp_path / "a")
    with other.transaction() as connection:
        connection.execute(text("UPDATE pictures SET content_id = NULL, state = 'failed'"))
    files = files_of(library)
    assert merge_into(library, other).pictures == {"present": 1}
    assert files_of(library) == files


@pytest.mark.parametrize("is_there", [True, False])
def test_missing_picture_is_present_if_the_other_library_has_its_file(
    make: Callable[..., Library], tmp_path: Path, paint: Paint, is_there: bool
) -> None:
    for name in ("red", "blue"):
        paint(tmp_path / "a" / f"{name}.png", name)
    library, other = make("one", tmp_path / "a"), make("other", tmp_path / "a")
    (tmp_path / "a" / "red.png").rename(tmp_path / "away.png")
    index(library, [tmp_path / "a"], FakeEncoder(), IndexSettings(accept_missing=True))
    if is_there:
        (tmp_path / "away.png").rename(tmp_path / "a" / "red.png")
    assert merge_into(library, other).pictures == ({"new": 1, "present": 1} if is_there else {"present": 2})
    states = {Path(path).name: state for path, _, state in files_of(library)}
    assert states == {"red.png": "present" if is_there else "missing", "blue.png": "present"}
    assert not verify(library)
    summary = index(library, [tmp_path / "a"], FakeEncoder())
    assert (summary.new, summary.changed, summary.embedded) == (0, 0, 0)


def test_record_of_a_linked_file_is_compared_with_the_file_itself(
    make: Callable[..., Library], tmp_path: Path, paint: Paint
) -> None:
    paint(tmp_path / "elsewhere.png", "red")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "link.png").symlink_to(tmp_path / "elsewhere.png")
    library = make("one", tmp_path / "a")
    paint(tmp_path / "elsewhere.png", "green", (9, 9))
    other = make("other", tmp_path / "a")
    assert merge_into(library, other).pictures == {"taken": 1}
    assert files_of(library) == files_of(other)


def test_space_of_another_model_is_carried(make: Callable[..., Library], tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "a" / "red.png", "red")
    paint(tmp_path / "b" / "green.png", "green")
    library = make("one", tmp_path / "a")
    other = make("other", tmp_path / "b", encoder=OtherEncoder())
    report = merge_into(library, other)
    assert [each.relation for each in report.spaces] == [SpaceRelation.CARRIED]
    assert report.without_vector == 1
    assert [(each.vectors, each.is_active) for each in list_spaces(library)] == [(1, True), (1, False)]
    assert embedded_by_a_run(library, tmp_path / "b") == 1
    assert not verify(library)


def imported(library: Library, folder: Path, name: str, *ids: str) -> None:
    folder.mkdir(exist_ok=True)
    vectors = np.random.default_rng(len(ids)).normal(size=(len(ids), 4)).astype(np.float32)
    np.save(folder / f"{name}.npy", vectors)
    (folder / f"{name}.txt").write_text("\n".join(ids) + "\n")
    import_vectors(library, open_vectors(folder / f"{name}.npy", folder / f"{name}.txt"), name)


def test_imported_spaces_come_with_their_documents(two: tuple[Library, Library], tmp_path: Path) -> None:
    library, other = two
    imported(other, tmp_path / "v", "clip", "x", "y", "z")
    imported(other, tmp_path / "v", "taken", "k", "l")
    imported(library, tmp_path / "w", "taken", "m")
    report = merge_into(library, other)
    assert [each.relation for each in report.spaces] == [
        SpaceRelation.SAME,
        SpaceRelation.CARRIED,
        SpaceRelation.NAME_TAKEN,
    ]
    assert report.pictures["new"] == 2  # documents are no pictures
    vectors = {each.stored.space.model: each.vectors for each in list_spaces(library)}
    assert vectors == {"fake": 3, "clip": 3, "taken": 1}
    with library.read() as connection:
        documents = select(Picture.relpath).join(Root, Root.id == Picture.root_id).where(Root.kind == "collection")
        assert sorted(connection.execute(documents).scalars()) == [b"m", b"x", b"y", b"z"]
    assert not verify(library)
    assert merge_into(library, other).contents == 0


@pytest.mark.slow
def test_content_may_have_more_copies_than_a_statement_has_variables(two: tuple[Library, Library]) -> None:
    library, other = two
    (content,) = ids_of(other, "copy.png")
    with other.transaction() as connection:
        root_id = connection.scalar(select(Root.id))
        rows = [
            {"root_id": root_id, "relpath": b"%d.png" % number, "size": 1, "mtime_ns": 1, "content_id": content}
            for number in range(33_000)
        ]
        connection.execute(insert(Picture), [{**row, "state": PictureState.PRESENT} for row in rows])
    listen(
        library.backend.engine, "connect", lambda each, _: each.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 32_766)
    )
    library.backend.engine.dispose()
    assert merge_into(library, other, force=True).pictures == {"new": 33_002}


class OtherEncoder(FakeEncoder):
    """Another model, by its weights."""

    def __init__(self) -> None:
        super().__init__()
        self.space = replace(self.space, weights="others")


class _Killed(BaseException):
    pass


@pytest.mark.parametrize("nth", [1, 2, 4])
def test_merge_that_stopped_anywhere_is_valid_and_continues(
    make: Callable[..., Library], tmp_path: Path, paint: Paint, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    for number in range(5):
        paint(tmp_path / "b" / f"{number}.png", (40 * number, 9, 250 - 40 * number))
    paint(tmp_path / "a" / "red.png", "red")
    (tmp_path / "b" / "broken.png").write_text("no picture")
    library, other = make("one", tmp_path / "a"), make("other", tmp_path / "b")
    tag(other, "rome", ids_of(other, "3.png"))
    expected = files_of(library) | files_of(other), vectors_of(library) | vectors_of(other)
    monkeypatch.setattr(loading, "BATCH_SIZE", 2)
    calls = 0

    def stopping(*args: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == nth:
            raise _Killed
        write_pictures(*args)

    monkeypatch.setattr("store.merge.merging.write_pictures", stopping)
    with pytest.raises(_Killed):  # three batches of contents, and one of files without
        merge_into(library, other)
    assert len(files_of(library)) == min(1 + 2 * (nth - 1), 6)
    assert [fault for fault in verify(library) if fault.kind != "index"] == []
    monkeypatch.setattr("store.merge.merging.write_pictures", write_pictures)
    merge_into(library, other)
    assert (files_of(library), vectors_of(library)) == expected
    assert [tag.name for tag in tags_of(library, ids_of(library, "3.png"))[ids_of(library, "3.png")[0]]] == ["rome"]
    assert not verify(library)


def test_damaged_vectors_are_not_taken(two: tuple[Library, Library], tmp_path: Path) -> None:
    library, other = two
    (green,) = ids_of(other, "green.png")
    with other.transaction() as connection:
        connection.execute(text(f"UPDATE embeddings SET vector = zeroblob(26) WHERE content_id = {green}"))
    report = merge_into(library, other)
    assert report.without_vector == 1
    assert embedded_by_a_run(library, tmp_path / "b") == 1
    assert not verify(library)


def test_library_is_not_merged_with_itself(two: tuple[Library, Library], tmp_path: Path) -> None:
    library, _ = two
    (tmp_path / "link").symlink_to(library.path)
    with Library.open_to_read(tmp_path / "link") as other, pytest.raises(MergeWithItself):
        merge(library, other)


def test_older_library_is_not_upgraded(two: tuple[Library, Library]) -> None:
    library, other = two
    with other.transaction() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0011'"))
    other.close()
    before = state_of(other)
    with pytest.raises(LibraryOutdated):
        Library.open_to_read(other.path)
    assert state_of(other) == before
    assert len(files_of(library)) == 2


def test_other_library_is_merged_while_its_owner_has_it_open(two: tuple[Library, Library]) -> None:
    library, other = two
    with other.connect() as connection, Library.open_to_read(other.path) as opened:
        assert connection.scalar(select(func.count()).select_from(Picture)) == 2
        assert merge(library, opened).pictures == {"new": 2}
        assert opened.read_only == "it is only read here"
    assert digests_of(other, ids_of(other, "green.png"))


@pytest.mark.parametrize("changes", [1, 9])
def test_batch_is_read_again_if_the_owner_changes_the_library(
    two: tuple[Library, Library], monkeypatch: pytest.MonkeyPatch, changes: int
) -> None:
    library, other = two
    left = [changes]

    def change(*arguments: Any) -> Any:
        found = real(*arguments)
        if left[0]:
            left[0] -= 1
            with Library.open(other.path) as owner:
                tag(owner, f"while it is read {left[0]}", ids_of(owner, "green.png"))
        return found

    real = loading._content_batch
    monkeypatch.setattr(loading, "_content_batch", change)
    monkeypatch.setattr(loading, "PAUSES", (0, 0))
    if changes == 1:
        assert merge_into(library, other).pictures == {"new": 2}
        assert not verify(library)
    else:
        with pytest.raises(LibraryBusy):
            merge_into(library, other)


def test_forgotten_pictures_come_back_from_the_other_library(two: tuple[Library, Library], tmp_path: Path) -> None:
    library, other = two
    merge_into(library, other)
    run_forget(library, tmp_path / "b")
    assert merge_into(library, other).pictures == {"new": 2}
    assert not verify(library)
    assert index(library, [tmp_path / "b"], FakeEncoder(), IndexSettings()).unchanged == 2


FACTS = (
    "INSERT INTO people (content_id, key, name) VALUES ({id}, 'anna', 'Anna')",
    "INSERT INTO places (id, city, region, country, country_code) VALUES (7, 'Roma', 'Lazio', 'Italia', 'IT')",
    "INSERT INTO place_names (place_id, key) VALUES (7, 'rome')",
    "INSERT INTO content_places (content_id, place_id, latitude, longitude, gazetteer) VALUES ({id}, 7, 4.9, 1.5, 'g')",
    "INSERT INTO named_places (city, country, place_id, gazetteer) VALUES ('Rom', '', 7, 'g')",
    "INSERT INTO text_readings (content_id, recognizer, version) VALUES ({id}, 'r', '1')",
    "INSERT INTO text_frames (id, content_id, number, comparable) VALUES (40, {id}, 0, 'exit')",
    "INSERT INTO text_lines (frame_id, number, text, confidence, corners) VALUES (40, 0, 'EXIT', 0.9, zeroblob(32))",
    "INSERT INTO tags (id, key, name) VALUES (50, 'holiday', 'Holiday')",
    "INSERT INTO content_tags (tag_id, content_id, source) VALUES (50, {id}, 'file')",
    "INSERT INTO picture_tags (tag_id, picture_id) VALUES (50, {picture})",
    "INSERT INTO sidecars (picture_id, title, rating) VALUES ({picture}, 'A title', 4)",
    "INSERT INTO written_sidecars (picture_id, name, digest, added) VALUES ({picture}, x'61', zeroblob(32), '{{}}')",
    "UPDATE contents SET camera = 'X100', city = 'Rom' WHERE id = {id}",
)

READ = {
    "people": "SELECT digest, key, name FROM people JOIN contents ON id = content_id",
    "places": "SELECT * FROM places",
    "names": "SELECT * FROM place_names",
    "named": "SELECT * FROM named_places",
    "place": "SELECT digest, place_id, gazetteer FROM content_places JOIN contents ON id = content_id",
    "readings": "SELECT digest, recognizer, version FROM text_readings JOIN contents ON id = content_id",
    "lines": "SELECT digest, text_lines.number, text, confidence FROM text_lines "
    "JOIN text_frames ON text_frames.id = frame_id JOIN contents ON contents.id = content_id",
    "full text": "SELECT digest FROM text_index JOIN text_frames ON text_frames.id = text_index.rowid "
    "JOIN contents ON contents.id = content_id WHERE text_index MATCH 'exit'",
    "keywords": "SELECT digest, key, source FROM content_tags JOIN tags ON tags.id = tag_id "
    "JOIN contents ON contents.id = content_id",
    "sidecar keywords": "SELECT relpath, key FROM picture_tags JOIN tags ON tags.id = tag_id "
    "JOIN pictures ON pictures.id = picture_id",
    "sidecars": "SELECT relpath, title, rating FROM sidecars JOIN pictures ON pictures.id = picture_id",
    "written": "SELECT relpath, name, added FROM written_sidecars JOIN pictures ON pictures.id = picture_id",
    "facts": "SELECT digest, camera, city FROM contents WHERE camera IS NOT NULL",
}


def test_facts_texts_places_people_and_sidecars_come_along(two: tuple[Library, Library]) -> None:
    library, other = two
    with other.transaction() as connection:
        (green,) = ids_of(other, "green.png")
        picture = connection.scalar(select(Picture.id).where(Picture.content_id == green))
        for statement in FACTS:
            connection.exec_driver_sql(statement.format(id=green, picture=picture))
    merge_into(library, other)

    def facts(of: Library) -> dict[str, list[Any]]:
        with of.read() as connection:
            return {name: [*map(tuple, connection.exec_driver_sql(query))] for name, query in READ.items()}

    assert all(facts(library).values())
    assert facts(library) == facts(other)
    assert not verify(library)
