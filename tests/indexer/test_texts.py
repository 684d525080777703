"""Reading text in the pictures of a library: what is read, what is recorded, and what a failure costs."""

import os
from pathlib import Path

import pytest
from sqlalchemy import select

from core.errors import ExtraMissing, UnknownModel
from core.root_files.waiting import checks_while_waiting
from encoders import text_recognizer
from encoders.fake import FakeEncoder
from indexer import Progress, index, text_process
from indexer.texts import TextSettings, read_texts
from store import Library
from store.catalog.tables import TextFrame
from store.forget import forget
from store.texts import containing, count_unread_texts, load_texts, text_coverage, unread_texts
from tests.support.frame_files import index_files
from tests.support.written import PixelTextRecognizer, write_picture, write_text_pages, written_image


class Stopped(BaseException):
    """Stops a run, like Ctrl-C."""


class StopAfter(Progress):
    """Stops a run after some pictures."""

    def __init__(self, number: int) -> None:
        self.left = number

    def advance(self, files: int) -> None:
        self.left -= files
        if self.left < 0:
            raise Stopped


def texts(library: Library, content_id: int) -> list[tuple[int, list[str]]]:
    """The lines of each frame with text."""
    frames = load_texts(library, [content_id]).get(content_id, [])
    return [(frame.number, [line.text for line in frame.lines]) for frame in frames]


def test_lines_are_stored_with_confidence_and_place(library: Library, tmp_path: Path) -> None:
    write_picture(tmp_path / "album" / "sign.png", "Platform 9", "第九站台")
    write_picture(tmp_path / "album" / "plain.png", colour="blue")
    ids = index_files(library, tmp_path / "album", FakeEncoder())
    summary = read_texts(library, PixelTextRecognizer())
    assert (summary.read, summary.with_text, summary.lines, summary.failed) == (2, 1, 2, 0)
    (frame,) = load_texts(library, list(ids.values()))[ids["sign.png"]]
    assert [line.text for line in frame.lines] == ["Platform 9", "第九站台"]
    assert frame.lines[1].confidence == 0.9
    assert frame.lines[1].corners == (0, 1 / 16, 1, 1 / 16, 1, 2 / 16, 0, 2 / 16)


def test_all_pages_of_a_document_are_read(library: Library, tmp_path: Path) -> None:
    write_text_pages(tmp_path / "album" / "scan.tif", ["first page"], [], ["third page", "its end"])
    ids = index_files(library, tmp_path / "album", FakeEncoder())
    read_texts(library, PixelTextRecognizer())
    assert texts(library, ids["scan.tif"]) == [(0, ["first page"]), (2, ["third page", "its end"])]


def test_each_picture_is_read_once(library: Library, tmp_path: Path) -> None:
    for number in range(3):
        write_picture(tmp_path / "album" / f"{number}.png", f"sign {number}")
    write_picture(tmp_path / "album" / "copy.png", "sign 0")
    index(library, [tmp_path / "album"], FakeEncoder())
    recognizer = PixelTextRecognizer()
    assert read_texts(library, recognizer).read == 3
    assert read_texts(library, recognizer).read == 0
    assert recognizer.pictures == 3


def test_the_last_added_pictures_are_read_first(library: Library, tmp_path: Path) -> None:
    for number in range(3):
        write_picture(tmp_path / "album" / f"{number}.png", f"sign {number}")
        index(library, [tmp_path / "album"], FakeEncoder())
    order = [Path(os.fsdecode(each.files[0])).name for each in unread_texts(library, "pixels", "1")]
    assert order == ["2.png", "1.png", "0.png"]


def test_a_new_version_of_the_recogniser_reads_again(library: Library, tmp_path: Path) -> None:
    write_picture(tmp_path / "album" / "sign.png", "old")
    ids = index_files(library, tmp_path / "album", FakeEncoder())
    read_texts(library, PixelTextRecognizer())
    assert read_texts(library, PixelTextRecognizer("2")).read == 1
    assert texts(library, ids["sign.png"]) == [(0, ["old"])]
    assert count_unread_texts(library, "pixels", "2") == 0


def test_a_stopped_run_keeps_its_batches(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.texts.MAX_BATCH", 2)
    for number in range(7):
        write_picture(tmp_path / "album" / f"{number}.png", f"sign {number}")
    index(library, [tmp_path / "album"], FakeEncoder())
    recognizer = PixelTextRecognizer()
    with pytest.raises(Stopped):
        read_texts(library, recognizer, progress=StopAfter(4))
    assert recognizer.pictures == 5
    assert text_coverage(library).read == 4  # two batches; the fifth picture is lost
    assert read_texts(library, recognizer).read == 3


def test_a_failure_of_the_recogniser_is_recorded_and_does_not_stop_the_run(library: Library, tmp_path: Path) -> None:
    write_picture(tmp_path / "album" / "bad.png", "!raise")
    write_picture(tmp_path / "album" / "good.png", "good")
    ids = index_files(library, tmp_path / "album", FakeEncoder())
    recognizer = PixelTextRecognizer()
    summary = read_texts(library, recognizer)
    assert (summary.read, summary.failed) == (1, 1)
    assert texts(library, ids["bad.png"]) == []
    assert text_coverage(library).failed == 1
    assert read_texts(library, recognizer).failed == 0  # not tried again
    assert read_texts(library, recognizer, TextSettings(again=True)).failed == 1


def test_a_crash_costs_one_picture(library: Library, tmp_path: Path) -> None:
    """The recogniser runs in a process of its own, which is started again."""
    for name, line in {"a.png": "first", "b.png": "!abort", "c.png": "last"}.items():
        write_picture(tmp_path / "album" / name, line)
    ids = index_files(library, tmp_path / "album", FakeEncoder())
    summary = read_texts(library, PixelTextRecognizer(in_process=False))
    assert (summary.read, summary.failed) == (2, 1)
    assert texts(library, ids["a.png"]) == [(0, ["first"])]
    assert texts(library, ids["c.png"]) == [(0, ["last"])]
    with library.read() as connection:
        rows = connection.exec_driver_sql("SELECT reason, detail FROM text_readings WHERE reason IS NOT NULL").all()
    assert [row[0] for row in rows] == ["recognizer-crashed"]
    assert "SIGABRT" in rows[0][1]


@pytest.mark.parametrize("at", ["__init__", "read"])
def test_stop_is_noticed_while_a_picture_takes_long(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """A job would otherwise be stopped only after the picture: its file may be in a store that does not answer."""
    write_picture(tmp_path / "album" / "a.png", "!hang")
    index(library, [tmp_path / "album"], FakeEncoder())
    begun, step = list[str](), getattr(text_process._Process, at)

    def begin(*arguments: object) -> object:
        begun.append(at)
        return step(*arguments)

    def stop() -> None:
        if begun:
            raise Stopped

    monkeypatch.setattr(text_process._Process, at, begin)

    with checks_while_waiting(stop), pytest.raises(Stopped):
        read_texts(library, PixelTextRecognizer(in_process=False))
    assert text_coverage(library).read == 0


def test_files_that_are_gone_or_changed_are_left_for_the_next_run(library: Library, tmp_path: Path) -> None:
    gone = write_picture(tmp_path / "album" / "gone.png", "gone")
    changed = write_picture(tmp_path / "album" / "changed.png", "before")
    index(library, [tmp_path / "album"], FakeEncoder())
    gone.unlink()
    written_image("after").save(changed)
    summary = read_texts(library, PixelTextRecognizer())
    assert (summary.read, summary.unavailable) == (0, 2)
    assert count_unread_texts(library, "pixels", "1") == 2


def test_a_text_with_nul_is_looked_for_like_any_other(library: Library) -> None:
    with library.read() as connection:
        assert connection.execute(select(TextFrame.id).where(containing(['stop\0"sign']))).all() == []


def test_forgotten_pictures_lose_their_texts(library: Library, tmp_path: Path) -> None:
    path = write_picture(tmp_path / "album" / "sign.png", "Platform 9")
    index(library, [tmp_path / "album"], FakeEncoder())
    read_texts(library, PixelTextRecognizer())
    forget(library, path)
    with library.read() as connection:
        for table in ("text_readings", "text_frames", "text_lines"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() == 0
        if library.backend.name == "sqlite":  # whose full-text index is a table of its own
            matches = "SELECT count(*) FROM text_index WHERE text_index MATCH '\"platform\"'"
            assert connection.exec_driver_sql(matches).scalar_one() == 0


def test_an_unknown_recogniser_and_a_missing_extra(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownModel, match="rapidocr"):
        read_texts(library, "crystal-ball")
    monkeypatch.setattr("encoders.rapidocr_recognizer.files", lambda _: (_ for _ in ()).throw(_not_installed()))
    with pytest.raises(ExtraMissing, match=r"sightline\[ocr\]"):
        text_recognizer.load_recognizer()


def _not_installed() -> Exception:
    from importlib.metadata import PackageNotFoundError

    return PackageNotFoundError("rapidocr")
