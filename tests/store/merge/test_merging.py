"""Two libraries become one: nothing is lost, nothing is embedded again, and the other one stays as it is."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.event import listen

from core.errors import (
    LibraryOutdated,
    MergeWithItself,
)
from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from store.albums.by_hand import create_album
from store.backup.outcomes import Outcome, Statement
from store.catalog.tables import Base, Picture, PictureState, Root
from store.check import verify
from store.merge.merging import merge
from store.merge.placing import RootRelation
from store.roots import folder_roots
from store.spaces.registry import active_space, list_spaces
from tests.support.frame_files import write_pages
from tests.support.merging import embedded_by_a_run, files_of, ids_of, merge_into, state_of, tag, vectors_of

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


@pytest.mark.slow
@pytest.mark.sqlite("its limit of variables is lowered")
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


@pytest.mark.sqlite("its full-text index")
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
