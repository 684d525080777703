"""Files of compiled models that were damaged after they had been written."""

import errno
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from encoders import registry
from encoders.base import Encoder
from encoders.compiled import integrity, store
from encoders.compiled.choice import Rates, RuntimeComparison
from encoders.compiled.integrity import CHECKED, MAX_AGE_SECONDS, are_intact, are_known_intact, file_sha256, remember
from encoders.compiled.runtime import FEW_PICTURES, RuntimeEncoder
from tests.support.compiled_models import EXACT, pixels

Compiled = Callable[[str], Path]


def flip(file: Path) -> None:
    """Invert bytes in the middle of a file. Its size stays the same."""
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(255 - byte for byte in content[middle : middle + 64])
    file.write_bytes(content)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a").write_bytes(b"weights" * 1000)
    (tmp_path / "b").write_bytes(b"graph")
    return tmp_path


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read, in this order."""
    names: list[str] = []

    def watched(file: Path) -> str:
        names.append(file.name)
        return file_sha256(file)

    monkeypatch.setattr(integrity, "file_sha256", watched)
    return names


def checksums(folder: Path) -> dict[str, str]:
    return {name: file_sha256(folder / name) for name in ("a", "b")}


def test_a_file_is_read_again_only_after_a_change(folder: Path, hashed: list[str]) -> None:
    expected = checksums(folder)
    assert are_known_intact(folder, expected)
    assert are_known_intact(folder, expected)
    assert hashed == ["a", "b"]
    flip(folder / "a")
    assert not are_known_intact(folder, expected)
    assert not are_known_intact(folder, expected)
    assert hashed == ["a", "b", "a", "a"]


def test_a_file_with_its_old_time_is_read_again(folder: Path) -> None:
    """Programs that restore files set their time of modification."""
    expected, times = checksums(folder), (folder / "a").stat()
    assert are_known_intact(folder, expected)
    flip(folder / "a")
    os.utime(folder / "a", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert not are_known_intact(folder, expected)


@pytest.mark.parametrize(("age", "is_read"), [(0, False), (MAX_AGE_SECONDS + 60, True), (-3600, True)])
def test_a_file_is_read_again_after_a_while(age: float, is_read: bool, folder: Path, hashed: list[str]) -> None:
    """A disk can change bytes without a change of the times of a file. One that was read in the future is read, too."""
    expected = checksums(folder)
    remember(folder, expected)
    record = json.loads((folder / CHECKED).read_text())
    (folder / CHECKED).write_text(json.dumps({name: [*state[:5], time.time() - age] for name, state in record.items()}))
    assert are_known_intact(folder, expected)
    assert hashed == (["a", "b"] if is_read else [])


def test_other_checksums_are_not_those_that_are_remembered(folder: Path) -> None:
    expected = checksums(folder)
    assert are_known_intact(folder, expected)
    assert not are_known_intact(folder, {**expected, "a": "0" * 64})


def test_a_missing_file_is_not_intact(folder: Path) -> None:
    expected = checksums(folder)
    remember(folder, expected)
    (folder / "a").unlink()
    assert not are_intact(folder, expected)
    assert not are_known_intact(folder, expected)


@pytest.mark.parametrize(
    "record",
    ["", "[]", '{"a": 1}', '{"a": [1, 2]}', '{"a": [1, 2, 3, 4, "x", "y"]}', '{"a": [1e999, 2, 3, 4, "x", 5]}'],
)
def test_a_damaged_record_is_written_again(record: str, folder: Path, hashed: list[str]) -> None:
    expected = checksums(folder)
    (folder / CHECKED).write_text(record)
    assert are_known_intact(folder, expected)
    assert are_known_intact(folder, expected)
    assert hashed == ["a", "b"]


def test_without_a_place_for_the_record_files_are_read_each_time(folder: Path, hashed: list[str]) -> None:
    (folder / CHECKED).mkdir()
    for _ in range(2):
        assert are_known_intact(folder, checksums(folder))
    assert hashed == ["a", "b", "a", "b"]


@pytest.mark.parametrize("name", [f"{store.TEXTS}.data", store.TOKENIZER])
def test_flipped_bytes_of_texts_do_not_change_vectors(name: str, tiny: dict[str, Path], compiled: Compiled) -> None:
    pytest.importorskip("open_clip")
    flip(compiled("vit") / name)
    _require_vectors_of_pytorch(tiny["vit"], lambda encoder: encoder.encode_texts(["a dog", "two cats"]))


@pytest.mark.parametrize("pictures", [1, FEW_PICTURES + 1])
@pytest.mark.parametrize("faster", ["", "openvino"])
def test_flipped_bytes_of_pictures_do_not_change_vectors(
    faster: str, pictures: int, tiny: dict[str, Path], compiled: Compiled
) -> None:
    pytest.importorskip("open_clip")
    folder = compiled("vit")
    rate = 20.0 if faster else 1.0
    Rates(openvino=RuntimeComparison(10.0, rate, "cpu, float32", 1.0)).keep(folder)
    flip(folder / f"{store.IMAGES}.data")
    _require_vectors_of_pytorch(tiny["vit"], lambda encoder: encoder.encode_pixels(pixels(encoder, pictures)))


def test_a_damaged_model_is_not_measured(tiny: dict[str, Path], compiled: Compiled) -> None:
    pytest.importorskip("open_clip")
    folder = compiled("vit")
    (folder / "measurement.json").unlink(missing_ok=True)
    flip(folder / f"{store.IMAGES}.data")
    _require_vectors_of_pytorch(tiny["vit"], lambda encoder: encoder.encode_pixels(pixels(encoder, FEW_PICTURES + 1)))


def test_a_model_stays_if_its_files_cannot_be_opened_now(
    tiny: dict[str, Path], compiled: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server can have too many open files when the first query arrives."""
    pytest.importorskip("open_clip")
    folder, opened = compiled("vit"), Path.open

    def refused(self: Path, *args: Any, **options: Any) -> Any:
        if self.parent == folder and self.name != store.CARD:
            raise OSError(errno.EMFILE, "Too many open files")
        return opened(self, *args, **options)

    encoder = registry.load(str(tiny["vit"]), EXACT)
    assert isinstance(encoder, RuntimeEncoder)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refused)
        found = encoder.encode_texts(["a dog"])
    np.testing.assert_array_equal(found, encoder.original.encode_texts(["a dog"]))
    assert store.find_intact(encoder.space) is not None


def test_a_process_does_not_delete_what_another_has_compiled_again(tiny: dict[str, Path], compiled: Compiled) -> None:
    pytest.importorskip("open_clip")
    folder = compiled("vit")
    space = registry.load(str(tiny["vit"]), EXACT).space
    known = store.find(space)
    assert known is not None
    card = json.loads((folder / store.CARD).read_text())
    card["checksums"][store.IMAGES] = "0" * 64
    (folder / store.CARD).write_text(json.dumps(card))
    store.discard(known)
    replaced = store.find(space)
    assert replaced is not None
    store.discard(replaced)
    assert not folder.exists()


def _require_vectors_of_pytorch(name: Path, run: Callable[[Encoder], np.ndarray]) -> None:
    encoder = registry.load(str(name), EXACT)
    assert isinstance(encoder, RuntimeEncoder)
    np.testing.assert_array_equal(run(encoder), run(encoder.original))
    assert store.find(encoder.space) is None  # the next process compiles it again


def test_a_tower_is_read_once_by_all_processes(tiny: dict[str, Path], compiled: Compiled, hashed: list[str]) -> None:
    pytest.importorskip("open_clip")
    compiled("vit")
    for _ in range(2):
        registry.load(str(tiny["vit"]), EXACT).encode_texts(["a dog"])
    assert sorted(hashed) == sorted([store.TEXTS, f"{store.TEXTS}.data", store.TOKENIZER])


def test_a_model_that_was_just_compiled_is_not_read_again(
    tiny: dict[str, Path], exports: Callable[[str], Path], hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("open_clip")
    monkeypatch.setenv("SIGHTLINE_MODELS", str(exports("vit")))
    monkeypatch.setenv("SIGHTLINE_RUNTIME", "onnx")
    registry.load(str(tiny["vit"]), EXACT).encode_texts(["a dog"])
    assert hashed == []
