"""The whole way in, on real files and with a model whose vectors are known."""

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import update

from core.errors import SpaceMismatch
from encoders.fake import FakeEncoder
from indexer import IndexSettings, index
from indexer.scan import ScanSettings
from pictures.decode import DecodeSettings
from search import Searcher
from store import Library
from store.catalog.tables import Embedding, PictureState
from store.check import repair, verify
from store.queries import count_by_state, list_failures
from store.spaces.registry import activate, register
from tests.indexer.runs import Counting, expected, numbers, vectors

Paint = Callable[..., Path]


def test_a_folder_is_taken_in_and_then_left_alone(library: Library, album: Path, counting: Counting) -> None:
    first = index(library, [album], counting)
    assert numbers(first) == {"new": 4, "embedded": 4}
    assert first.seen == 4
    assert first.seconds > 0
    read = {"read", "decode", "preprocess", "hash"}
    assert set(first.timings) == read | {"scan", "forward", "write", "metadata", "backfill_hashes", "group", "publish"}
    held = vectors(library)
    assert set(held) == {"red.png", "green.png", "blue.png", "more/yellow.png"}
    for name, vector in held.items():
        np.testing.assert_array_equal(vector, expected(counting, Path(name).stem)[0])
    assert verify(library) == []
    second = index(library, [album], counting)
    assert numbers(second) == {"unchanged": 4}
    assert counting.embedded == 4
    assert not {"read", "decode", "forward"} & set(second.timings)


def test_a_broken_file_in_the_middle_of_a_batch_shifts_nothing(
    library: Library, album: Path, counting: Counting
) -> None:
    for name in ("a.png", "c.png", "h.png", "more/a.png", "z.png"):
        (album / name).write_bytes(b"no picture")
    (album / "empty.jpg").write_bytes(b"")
    summary = index(library, [album], counting)
    assert numbers(summary) == {"new": 4, "embedded": 4, "failed": 6}
    for name, vector in vectors(library).items():
        np.testing.assert_array_equal(vector, expected(counting, Path(name).stem)[0])
    assert {failure.path.name for failure in list_failures(library)} == {
        "a.png",
        "c.png",
        "h.png",
        "z.png",
        "empty.jpg",
    }
    assert {failure.reason for failure in list_failures(library)} == {"undecodable"}
    assert numbers(index(library, [album], counting)) == {"unchanged": 4, "failed": 6}
    (album / "a.png").write_bytes((album / "red.png").read_bytes())
    assert numbers(index(library, [album], counting)) == {"unchanged": 4, "failed": 5, "changed": 1}
    assert counting.embedded == 4


class AfraidOfWhite(Counting):
    """Returns NaN for a white picture."""

    def forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        vectors = super().forward_images(pixels)
        vectors[pixels.min(axis=(1, 2, 3)) == 1] = np.nan
        return vectors


def test_a_picture_the_model_cannot_embed_is_one_failure(library: Library, album: Path, paint: Paint) -> None:
    """The picture itself is known, with all its facts; only this space has no vector of it."""
    paint(album / "c.png", "white")
    assert numbers(index(library, [album], AfraidOfWhite())) == {"new": 4, "embedded": 4, "failed": 1}
    (failure,) = list_failures(library)
    assert (failure.path.name, failure.reason, failure.tries, failure.space) == ("c.png", "bad-vector", 1, "fake")
    np.testing.assert_array_equal(vectors(library)["green.png"], expected(FakeEncoder(), "green")[0])
    assert count_by_state(library)[PictureState.PRESENT] == 5
    assert verify(library) == []
    again = AfraidOfWhite()
    assert numbers(index(library, [album], again)) == {"unchanged": 4, "failed": 1}
    assert numbers(index(library, [album], again, IndexSettings(full=True))) == {"unchanged": 4, "failed": 1}
    assert list_failures(library)[0].tries == 2
    paint(album / "c.png", "black")
    assert numbers(index(library, [album], again)) == {"unchanged": 4, "changed": 1, "embedded": 1}
    assert list_failures(library) == []


def test_what_one_model_cannot_embed_keeps_its_vector_in_another_space(
    library: Library, album: Path, paint: Paint
) -> None:
    paint(album / "c.png", "white")
    index(library, [album], FakeEncoder())
    other = AfraidOfWhite()
    other.space = replace(other.space, weights="afraid")
    with library.transaction() as connection:
        activate(connection, register(connection, other.space))
    assert numbers(index(library, [album], other)) == {"unchanged": 4, "embedded": 4, "failed": 1}
    assert len(Searcher(library, other)) == 4
    assert len(Searcher(library, space=FakeEncoder().space.fingerprint)) == 5
    assert verify(library) == []


def test_a_fault_is_over_once_a_vector_is_there(library: Library, album: Path, paint: Paint) -> None:
    paint(album / "c.png", "white")
    index(library, [album], AfraidOfWhite())
    mended = numbers(index(library, [album], FakeEncoder(), IndexSettings(full=True)))
    assert mended == {"unchanged": 5, "embedded": 1}
    assert list_failures(library) == []


def test_moves_copies_and_changes(library: Library, album: Path, counting: Counting, paint: Paint) -> None:
    index(library, [album], counting)
    (album / "red.png").rename(album / "more" / "rouge.png")
    shutil.copy(album / "blue.png", album / "azure.png")
    paint(album / "green.png", "white", (16, 16))
    assert numbers(index(library, [album], counting)) == {
        "unchanged": 2, "moved": 1, "new": 1, "duplicates": 1, "changed": 1, "embedded": 1,
    }  # fmt: skip
    assert counting.embedded == 5
    held = vectors(library)
    np.testing.assert_array_equal(held["more/rouge.png"], expected(counting, "red")[0])
    np.testing.assert_array_equal(held["azure.png"], held["blue.png"])
    np.testing.assert_array_equal(held["green.png"], expected(counting, "white")[0])
    assert verify(library) == []


def test_a_heic_is_read_again_when_its_extra_has_come(
    library: Library, album: Path, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not before: a phone's whole library would be read at every run."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (album / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    assert numbers(index(library, album, encoder)) == {"new": 4, "failed": 1, "embedded": 4}
    again = index(library, album, encoder)
    assert numbers(again) == {"unchanged": 4, "failed": 1}
    assert "read" not in again.timings
    monkeypatch.setattr("indexer.pipeline.heif_is_installed", lambda: True)
    again = index(library, album, encoder)
    assert numbers(again) == {"unchanged": 4, "failed": 1}  # it has not really come
    assert "read" in again.timings


def test_vectors_that_repair_dropped_are_embedded_again(library: Library, album: Path, counting: Counting) -> None:
    index(library, [album], counting)
    with library.transaction() as connection:
        connection.execute(update(Embedding).where(Embedding.content_id < 3).values(vector=b"damaged"))
    with library.exclusive() as writer:
        repair(writer)
    assert numbers(index(library, [album], counting)) == {"unchanged": 4, "embedded": 2}
    assert counting.embedded == 6
    assert verify(library) == []
    for name, vector in vectors(library).items():
        np.testing.assert_array_equal(vector, expected(counting, Path(name).stem)[0])


def test_names_that_are_not_utf8(library: Library, album: Path, encoder: FakeEncoder) -> None:
    name = os.fsdecode(b"caf\xe9 100%_\n.png")
    (album / "red.png").rename(album / name)
    (album / "more").rename(album / os.fsdecode(b"\xff\xfe"))
    index(library, [album], encoder)
    assert {name, os.fsdecode(b"\xff\xfe/yellow.png")} < set(vectors(library))
    assert index(library, [album / os.fsdecode(b"\xff\xfe")], encoder).unchanged == 1


def test_a_model_of_another_space_is_refused(library: Library, album: Path, encoder: FakeEncoder) -> None:
    class Larger(FakeEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.space = type(self.space)("fake", "others", 13, self.space.preprocessing)

    index(library, [album], encoder)
    with pytest.raises(SpaceMismatch):
        index(library, [album], Larger())
    assert count_by_state(library)[PictureState.PRESENT] == 4


def test_settings_reach_scan_and_decoder(library: Library, album: Path, paint: Paint, encoder: FakeEncoder) -> None:
    paint(album / "large.png", "white", (100, 100))
    settings = IndexSettings(
        scan=ScanSettings(exclude=("more/", "blue*")), decode=DecodeSettings(max_pixels=5_000), workers=1
    )
    assert numbers(index(library, [album], encoder, settings)) == {"new": 2, "embedded": 2, "failed": 1}
    assert [failure.reason for failure in list_failures(library)] == ["too-large"]


def test_full_reads_again_and_embeds_nothing(library: Library, album: Path, counting: Counting) -> None:
    index(library, [album], counting)
    summary = index(library, [album], counting, IndexSettings(full=True))
    assert numbers(summary) == {"unchanged": 4}
    assert "read" in summary.timings
    assert counting.embedded == 4


def test_full_notices_what_size_and_time_hide(library: Library, album: Path, counting: Counting) -> None:
    red, blue = ((album / name).read_bytes().ljust(100, b"\0") for name in ("red.png", "blue.png"))
    (album / "red.png").write_bytes(red)
    before = (album / "red.png").stat().st_mtime_ns
    index(library, [album], counting)
    (album / "red.png").write_bytes(blue)
    os.utime(album / "red.png", ns=(before, before))
    assert numbers(index(library, [album], counting)) == {"unchanged": 4}
    assert numbers(index(library, [album], counting, IndexSettings(full=True))) == {
        "unchanged": 3, "changed": 1, "embedded": 1,
    }  # fmt: skip


def test_a_file_that_cannot_be_read_keeps_its_vector(
    library: Library, album: Path, counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    index(library, [album], counting)
    os.utime(album / "red.png", ns=(1, 1))
    real = Path.open

    def refusing(self: Path, *args: object, **kwargs: object) -> object:
        if self.name == "red.png":
            raise PermissionError(13, "Permission denied")
        return real(self, *args, **kwargs)  # type: ignore[call-overload]

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refusing)
        assert numbers(index(library, [album], counting)) == {"unchanged": 3, "failed": 1}
    assert [(failure.reason, failure.detail) for failure in list_failures(library)] == [
        ("unreadable", "Permission denied")
    ]
    assert numbers(index(library, [album], counting)) == {"unchanged": 3, "restored": 1}
    assert counting.embedded == 4


def test_a_summary_is_plain_data(library: Library, album: Path, encoder: FakeEncoder) -> None:
    record = asdict(index(library, [album], encoder))
    assert record["new"] == 4
    assert isinstance(record["timings"], dict)
