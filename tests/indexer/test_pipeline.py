"""Indexing real files with a model whose vectors are known."""

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

from core.errors import SpaceMismatch, UnknownModel, WeightsChanged
from encoders import registry
from encoders.fake import FakeEncoder
from encoders.mini.encoder import MiniEncoder
from indexer import IndexSettings, index
from indexer.scan import ScanSettings
from pictures.decode import DecodeSettings
from search import Searcher
from store import Library
from store.catalog.tables import Embedding, PictureState
from store.check import repair, verify
from store.failures import list_failures
from store.queries import count_by_state
from store.spaces.registry import activate, list_spaces, model_space, register
from tests.support.indexing import CountingEncoder, expected_vectors, nonzero_counts, vectors_by_path
from tests.support.versions import NEWER, install_newer_mini

Paint = Callable[..., Path]


def test_index_embeds_a_folder_and_then_skips_it(library: Library, album: Path, counting: CountingEncoder) -> None:
    first = index(library, [album], counting)
    assert nonzero_counts(first) == {"new": 4, "embedded": 4}
    assert first.seen == 4
    assert first.seconds > 0
    read = {"read", "decode", "preprocess", "hash"}
    once = {"scan", "forward", "write", "metadata", "backfill_hashes", "places", "group", "publish"}
    assert set(first.timings) == read | once
    held = vectors_by_path(library)
    assert set(held) == {"red.png", "green.png", "blue.png", "more/yellow.png"}
    for name, vector in held.items():
        np.testing.assert_array_equal(vector, expected_vectors(counting, Path(name).stem)[0])
    assert verify(library) == []
    second = index(library, [album], counting)
    assert nonzero_counts(second) == {"unchanged": 4}
    assert counting.embedded == 4
    assert not {"read", "decode", "forward"} & set(second.timings)


def test_broken_files_do_not_shift_vectors(library: Library, album: Path, counting: CountingEncoder) -> None:
    for name in ("a.png", "c.png", "h.png", "more/a.png", "z.png"):
        (album / name).write_bytes(b"no picture")
    (album / "empty.jpg").write_bytes(b"")
    summary = index(library, [album], counting)
    assert nonzero_counts(summary) == {"new": 4, "embedded": 4, "failed": 6}
    for name, vector in vectors_by_path(library).items():
        np.testing.assert_array_equal(vector, expected_vectors(counting, Path(name).stem)[0])
    assert {failure.path.name for failure in list_failures(library)} == {
        "a.png",
        "c.png",
        "h.png",
        "z.png",
        "empty.jpg",
    }
    assert {failure.reason for failure in list_failures(library)} == {"undecodable"}
    assert nonzero_counts(index(library, [album], counting)) == {"unchanged": 4, "failed": 6}
    (album / "a.png").write_bytes((album / "red.png").read_bytes())
    assert nonzero_counts(index(library, [album], counting)) == {"unchanged": 4, "failed": 5, "changed": 1}
    assert counting.embedded == 4


class AfraidOfWhite(CountingEncoder):
    """Returns NaN for a white picture."""

    def forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        vectors_by_path = super().forward_images(pixels)
        vectors_by_path[pixels.min(axis=(1, 2, 3)) == 1] = np.nan
        return vectors_by_path


def test_picture_with_invalid_vector_is_one_failure(library: Library, album: Path, paint: Paint) -> None:
    """The content and its metadata are stored; only its vector is missing in this space."""
    paint(album / "c.png", "white")
    assert nonzero_counts(index(library, [album], AfraidOfWhite())) == {"new": 4, "embedded": 4, "failed": 1}
    (failure,) = list_failures(library)
    assert (failure.path.name, failure.reason, failure.tries, failure.space) == ("c.png", "bad-vector", 1, "fake")
    np.testing.assert_array_equal(vectors_by_path(library)["green.png"], expected_vectors(FakeEncoder(), "green")[0])
    assert count_by_state(library)[PictureState.PRESENT] == 5
    assert verify(library) == []
    again = AfraidOfWhite()
    assert nonzero_counts(index(library, [album], again)) == {"unchanged": 4, "failed": 1}
    assert nonzero_counts(index(library, [album], again, IndexSettings(full=True))) == {"unchanged": 4, "failed": 1}
    assert list_failures(library)[0].tries == 2
    paint(album / "c.png", "black")
    assert nonzero_counts(index(library, [album], again)) == {"unchanged": 4, "changed": 1, "embedded": 1}
    assert list_failures(library) == []


def test_invalid_vector_keeps_vectors_of_other_spaces(library: Library, album: Path, paint: Paint) -> None:
    paint(album / "c.png", "white")
    index(library, [album], FakeEncoder())
    other = AfraidOfWhite()
    other.space = replace(other.space, weights="afraid")
    with library.transaction() as connection:
        activate(connection, register(connection, other.space))
    assert nonzero_counts(index(library, [album], other)) == {"unchanged": 4, "embedded": 4, "failed": 1}
    assert len(Searcher(library, other)) == 4
    assert len(Searcher(library, space=FakeEncoder().space.fingerprint)) == 5
    assert verify(library) == []


def test_vector_failure_is_removed_when_a_vector_is_stored(library: Library, album: Path, paint: Paint) -> None:
    paint(album / "c.png", "white")
    index(library, [album], AfraidOfWhite())
    mended = nonzero_counts(index(library, [album], FakeEncoder(), IndexSettings(full=True)))
    assert mended == {"unchanged": 5, "embedded": 1}
    assert list_failures(library) == []


def test_index_detects_moves_copies_and_changes(
    library: Library, album: Path, counting: CountingEncoder, paint: Paint
) -> None:
    index(library, [album], counting)
    (album / "red.png").rename(album / "more" / "rouge.png")
    shutil.copy(album / "blue.png", album / "azure.png")
    paint(album / "green.png", "white", (16, 16))
    assert nonzero_counts(index(library, [album], counting)) == {
        "unchanged": 2, "moved": 1, "new": 1, "duplicates": 1, "changed": 1, "embedded": 1,
    }  # fmt: skip
    assert counting.embedded == 5
    held = vectors_by_path(library)
    np.testing.assert_array_equal(held["more/rouge.png"], expected_vectors(counting, "red")[0])
    np.testing.assert_array_equal(held["azure.png"], held["blue.png"])
    np.testing.assert_array_equal(held["green.png"], expected_vectors(counting, "white")[0])
    assert verify(library) == []


def test_heic_is_read_again_after_its_extra_is_installed(
    library: Library, album: Path, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not before: otherwise every run would read all pictures of a phone again."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (album / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    assert nonzero_counts(index(library, album, encoder)) == {"new": 4, "failed": 1, "embedded": 4}
    again = index(library, album, encoder)
    assert nonzero_counts(again) == {"unchanged": 4, "failed": 1}
    assert "read" not in again.timings
    monkeypatch.setattr("pictures.extras.extra_is_installed", lambda _: True)
    again = index(library, album, encoder)
    assert nonzero_counts(again) == {"unchanged": 4, "failed": 1}  # the extra is not really installed
    assert "read" in again.timings


def test_index_embeds_vectors_that_repair_removed(library: Library, album: Path, counting: CountingEncoder) -> None:
    index(library, [album], counting)
    with library.transaction() as connection:
        connection.execute(update(Embedding).where(Embedding.content_id < 3).values(vector=b"damaged"))
    repair(library)
    assert nonzero_counts(index(library, [album], counting)) == {"unchanged": 4, "embedded": 2}
    assert counting.embedded == 6
    assert verify(library) == []
    for name, vector in vectors_by_path(library).items():
        np.testing.assert_array_equal(vector, expected_vectors(counting, Path(name).stem)[0])


def test_index_reads_file_names_that_are_not_utf8(library: Library, album: Path, encoder: FakeEncoder) -> None:
    name = os.fsdecode(b"caf\xe9 100%_\n.png")
    (album / "red.png").rename(album / name)
    (album / "more").rename(album / os.fsdecode(b"\xff\xfe"))
    index(library, [album], encoder)
    assert {name, os.fsdecode(b"\xff\xfe/yellow.png")} < set(vectors_by_path(library))
    assert index(library, [album / os.fsdecode(b"\xff\xfe")], encoder).unchanged == 1


def test_index_rejects_another_model(library: Library, album: Path, encoder: FakeEncoder) -> None:
    class Larger(FakeEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.space = type(self.space)("fake", "others", 13, self.space.preprocessing)

    index(library, [album], encoder)
    with pytest.raises(SpaceMismatch):
        index(library, [album], Larger())
    assert count_by_state(library)[PictureState.PRESENT] == 4


def test_settings_are_passed_to_scan_and_decoder(
    library: Library, album: Path, paint: Paint, encoder: FakeEncoder
) -> None:
    paint(album / "large.png", "white", (100, 100))
    settings = IndexSettings(
        scan=ScanSettings(exclude=("more/", "blue*")), decode=DecodeSettings(max_pixels=5_000), workers=1
    )
    assert nonzero_counts(index(library, [album], encoder, settings)) == {"new": 2, "embedded": 2, "failed": 1}
    assert [failure.reason for failure in list_failures(library)] == ["too-large"]


def test_pictures_above_a_limit_are_tried_again_when_it_changes(
    library: Library, album: Path, paint: Paint, encoder: FakeEncoder
) -> None:
    paint(album / "large.png", "white", (100, 100))
    paint(album / "long.png", "white", (400, 2))

    def failed(max_pixels: int) -> dict[str, int]:
        index(library, [album], encoder, IndexSettings(decode=DecodeSettings(max_pixels=max_pixels), workers=1))
        return {Path(os.fsdecode(failure.path)).name: failure.tries for failure in list_failures(library)}

    assert failed(5_000) == {"large.png": 1, "long.png": 1}
    assert "5,000 in total" in {f.detail.split("than ")[-1] for f in list_failures(library)}
    assert failed(5_000) == {"large.png": 1, "long.png": 1}
    assert failed(6_000) == {"large.png": 2, "long.png": 1}
    assert failed(10_000) == {"long.png": 1}


def test_full_index_reads_files_again_without_embedding(
    library: Library, album: Path, counting: CountingEncoder
) -> None:
    index(library, [album], counting)
    summary = index(library, [album], counting, IndexSettings(full=True))
    assert nonzero_counts(summary) == {"unchanged": 4}
    assert "read" in summary.timings
    assert counting.embedded == 4


def test_unreadable_file_keeps_its_vector(
    library: Library, album: Path, counting: CountingEncoder, monkeypatch: pytest.MonkeyPatch
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
        assert nonzero_counts(index(library, [album], counting)) == {"unchanged": 3, "failed": 1}
    assert [(failure.reason, failure.detail) for failure in list_failures(library)] == [
        ("unreadable", "Permission denied")
    ]
    assert nonzero_counts(index(library, [album], counting)) == {"unchanged": 3, "restored": 1}
    assert counting.embedded == 4


def test_summary_can_be_serialized(library: Library, album: Path, encoder: FakeEncoder) -> None:
    record = asdict(index(library, [album], encoder))
    assert record["new"] == 4
    assert isinstance(record["timings"], dict)


def test_encoder_may_be_a_model_name_and_defaults_to_that_of_the_library(library: Library, album: Path) -> None:
    assert index(library, album / "more", "fake").embedded == 1
    assert index(library, album).embedded == 3
    space = model_space(library)
    assert space is not None
    assert space.space.fingerprint == FakeEncoder().space.fingerprint


def test_model_name_stands_for_the_version_of_the_library(
    library: Library, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index(library, album / "more", "mini")
    old = model_space(library)
    assert old is not None
    install_newer_mini(tmp_path / "mini", monkeypatch)
    assert index(library, album, "mini").embedded == 3
    assert [summary.stored for summary in list_spaces(library)] == [old]
    with pytest.raises(SpaceMismatch, match=f"embedded by {old.space.title} .*, not by mini {NEWER}") as caught:
        index(library, album, MiniEncoder())
    assert not isinstance(caught.value, WeightsChanged)  # the model of the library has not changed


def test_encoder_of_a_new_library_is_the_default_model(
    library: Library, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "DEFAULT_MODEL", "fake")
    assert index(library, album).embedded == 4


def test_unknown_model_name_is_rejected(library: Library, album: Path) -> None:
    with pytest.raises(UnknownModel):
        index(library, album, "no-such-model")
    assert model_space(library) is None
