"""User data of a merged library is added, and nothing here is replaced."""

import os
from functools import partial
from pathlib import Path

from sqlalchemy import select

from encoders.fake import FakeEncoder
from indexer import IndexSettings, index
from search.evaluate.kept_judgements import merge_judgements, read_judgements
from store import Library
from store.albums.by_hand import contents_of_album, create_album
from store.backup.outcomes import Outcome, Statement
from store.backup.records import Judgement
from store.catalog.tables import Content
from store.check import verify
from store.content_digests import digests_of
from store.merge.merging import MergeHooks, MergeSettings, merge
from store.near_duplicates.verdicts import count_verdicts, tell_apart
from store.ratings import rate
from store.tags import tags_of
from tests.support.albums import list_albums
from tests.support.merging import (
    ids_of,
    merge_into,
    tag,
)
from tests.support.writers import run_forget


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


def test_forgotten_pictures_come_back_from_the_other_library(two: tuple[Library, Library], tmp_path: Path) -> None:
    library, other = two
    merge_into(library, other)
    run_forget(library, tmp_path / "b")
    assert merge_into(library, other).pictures == {"new": 2}
    assert not verify(library)
    assert index(library, [tmp_path / "b"], FakeEncoder(), IndexSettings()).unchanged == 2
