"""What happens around a library: the clock jumps, another program holds the catalogue, the disk is full."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import store.backup.taking
import store.catalog.engine
from core.errors import LibraryUnusable
from encoders.fake import FakeEncoder
from indexer import index
from search import Searcher
from store import Library
from store.backup.snapshot_folder import list_snapshots
from store.backup.taking import take_snapshots
from store.check import verify
from store.tags import Tagging, add_tags, list_tags
from tests.e2e.test_damage import mounted
from tests.support.indexing import nonzero_counts
from tests.support.processes import Cli

Paint = Callable[..., list[Path]]
TEN_YEARS = 10 * 365 * 24 * 3600


@pytest.fixture
def photos(cli: Cli, tmp_path: Path, paint: Paint) -> Path:
    """Three indexed pictures."""
    paint(tmp_path / "photos", red="red", green="lime", blue="blue")
    cli.index_in_process(tmp_path / "photos")
    return tmp_path / "photos"


def test_files_of_the_future_are_read_once(cli: Cli, photos: Path, paint: Paint) -> None:
    """A camera or a machine had a wrong clock when it wrote them."""
    (cyan,) = paint(photos, cyan="cyan")
    future = cyan.stat().st_mtime + TEN_YEARS
    os.utime(cyan, (future, future))
    assert cli.index_in_process(photos) == {"new": 1, "embedded": 1, "unchanged": 3}
    assert cli.index_in_process(photos) == {"unchanged": 4}


@pytest.mark.parametrize("seconds", [-TEN_YEARS, TEN_YEARS])
def test_an_edited_file_is_read_again_whichever_way_the_clock_jumped(
    cli: Cli, photos: Path, paint: Paint, seconds: int
) -> None:
    time = (photos / "red.png").stat().st_mtime + seconds
    (red,) = paint(photos, red="white")
    os.utime(red, (time, time))
    assert cli.index_in_process(photos)["changed"] == 1
    assert cli.find("white")[0] == red
    assert cli.is_intact()


def test_snapshots_are_written_after_the_clock_went_back(
    cli: Cli, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the future stay, and do not pass for the last ones."""
    now = datetime(2026, 1, 2)  # noqa: DTZ001 (UTC without a time zone, as in the code)
    with Library.open(cli.library) as library:
        for number, time in enumerate((now + timedelta(days=3650), now, now + timedelta(seconds=1))):
            monkeypatch.setattr(store.backup.taking, "_now", lambda time=time: time)
            add_tags(library, [Tagging(1, f"tag {number}")])
            (taken,) = take_snapshots(library)
            assert taken.is_new
            assert taken.counts["picture"] == 1
        assert len(list_snapshots(cli.library / "snapshots")) == 3


def test_a_catalogue_that_another_program_holds_is_reported_and_nothing_is_lost(
    cli: Cli, photos: Path, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.catalog.engine, "BUSY_TIMEOUT_SECONDS", 0.05)
    paint(photos, cyan="cyan")
    with Library.open(cli.library) as library:
        add_tags(library, [Tagging(1, "kept")])
        with closing(sqlite3.connect(cli.library / "catalog.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for change in (
                lambda: add_tags(library, [Tagging(2, "lost")]),
                lambda: index(library, [photos], FakeEncoder()),
            ):
                with pytest.raises(LibraryUnusable, match="another program is writing to its catalogue"):
                    change()
            assert [tag.name for tag in list_tags(library)] == ["kept"]  # reading does not wait
            assert len(Searcher(library).search("red")) == 3
            other.execute("ROLLBACK")
        assert nonzero_counts(index(library, [photos], FakeEncoder())) == {"new": 1, "embedded": 1, "unchanged": 3}
        add_tags(library, [Tagging(2, "kept")])
        assert [(tag.name, tag.pictures) for tag in list_tags(library)] == [("kept", 2)]
        assert verify(library) == []


def test_a_tag_on_a_full_disk_is_stored_or_refused(cli: Cli, tmp_path: Path, paint: Paint) -> None:
    photos = tmp_path / "photos"
    pictures = paint(photos, red="red", green="lime")
    with mounted(cli.library, "-t", "tmpfs", "-o", "size=4m", "tmpfs"):
        cli.index_in_process(photos)
        cli("tag", pictures[0], "before")
        ballast = cli.library / "ballast"
        with pytest.raises(OSError, match="No space left"), ballast.open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        process = cli.start("tag", pictures[1], "during")
        _, err = process.communicate(timeout=120)
        assert process.returncode in (0, 2)
        assert b"Traceback" not in err
        assert err.startswith(b"sightline: ")  # also if only the snapshot could not be written
        ballast.unlink()
        with Library.open(cli.library) as library:
            names = {tag.name for tag in list_tags(library)}
            assert names == ({"before", "during"} if process.returncode == 0 else {"before"})
            assert verify(library) == []
        cli("tag", pictures[1], "during")
        assert cli.query("SELECT count(*) FROM content_tags") == [(2,)]
