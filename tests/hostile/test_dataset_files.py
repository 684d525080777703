"""Files that are not valid data sets raise `DatasetError` and no other exception."""

import json
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import DatasetError
from search.evaluate.baseline import read_baseline
from search.evaluate.datasets import FORMATS, open_dataset
from search.evaluate.trec import read_qrels, read_run

KEYS = ("image", "caption", "lang", "split", "id", "images", "annotations", "image_id", "file_name", "filename")
MORE = ("filepath", "sentences", "raw", "image/key", "en", "evaluations", "format", "queries", "ranks")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(("a.jpg", "..", "a\0b")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from((*KEYS, *MORE)), inner, max_size=6),
    max_leaves=20,
)
NAMES = ("captions.jsonl", "table.csv", "captions_val2017.json", "some.token.txt", "qrels.txt", "baseline.json")


def read_every_way(path: Path) -> None:
    for format in FORMATS.built_in():  # noqa: A001
        for place in (path, path.parent):
            with suppress(DatasetError):
                open_dataset(place, format=format)
    with suppress(DatasetError):
        open_dataset(path)
    for read in (read_baseline, read_qrels, read_run):
        with suppress(DatasetError):
            read(path)


@pytest.mark.parametrize("name", NAMES)
@given(content=st.binary(max_size=200))
@settings(deadline=None, max_examples=25)
def test_random_bytes_raise_only_dataset_errors(name: str, content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        read_every_way(path)


@pytest.mark.parametrize("name", NAMES)
@given(values=st.lists(VALUES, min_size=1, max_size=3))
@settings(deadline=None, max_examples=40)
def test_random_json_raises_only_dataset_errors(name: str, values: list[object]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text("\n".join(json.dumps(value) for value in values), encoding="utf-8")
        read_every_way(path)


def test_deeply_nested_json_raises_a_dataset_error(tmp_path: Path) -> None:
    path = tmp_path / "captions.jsonl"
    path.write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(DatasetError, match="not JSON that can be read: it is nested too deeply"):
        open_dataset(path)


@pytest.mark.parametrize("name", ["a" * 5000, "a\0b", "\ud800"], ids=["long", "nul", "surrogate"])
def test_impossible_file_name_raises_a_dataset_error(tmp_path: Path, name: str) -> None:
    images = [{"id": 1, "file_name": name}]
    coco = {"images": images, "annotations": [{"id": 1, "image_id": 1, "caption": "a dog"}]}
    for file, content in (("captions.jsonl", {"image": name, "caption": "a dog"}), ("captions.json", coco)):
        (tmp_path / file).write_text(json.dumps(content), encoding="utf-8")
        with pytest.raises(DatasetError, match="1 of its pictures are missing"):
            open_dataset(tmp_path / file)


def test_folder_instead_of_a_file_raises_a_dataset_error(tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / name).mkdir()
    read_every_way(tmp_path / NAMES[0])
