import os
import pickle
from pathlib import Path

import pytest

from core.files import absolute
from core.object_paths import ObjectPath, as_path, object_path, scheme_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s3://bucket", "s3://bucket"),
        ("s3://bucket/", "s3://bucket"),
        ("S3://bucket/Trip//a/", "s3://bucket/Trip/a"),
        ("s3://bucket/a/./b/../c", "s3://bucket/a/c"),
        ("s3:/bucket/a", "s3://bucket/a"),  # what pathlib leaves of two slashes
        ("s3://bucket/a b%20+é.jpg", "s3://bucket/a b%20+é.jpg"),
    ],
)
def test_names_of_objects_are_paths_in_one_spelling(text: str, expected: str) -> None:
    for given in (text, Path(text)):
        path = object_path(given)
        assert isinstance(path, ObjectPath)
        assert (str(path), os.fspath(path), os.fsencode(path)) == (expected, expected, expected.encode())
        assert absolute(given) == path
    assert as_path(expected.encode()) == object_path(expected)


@pytest.mark.parametrize(
    "text", ["/photos/a", "photos", "s3", "s3:", "s3://", "gs://bucket", "./s3/a", "/s3:/a", "as3://a"]
)
def test_other_paths_are_not_of_objects(text: str) -> None:
    assert object_path(text) is None
    assert type(as_path(text.encode())) is type(Path())


def test_parts_of_object_paths_are_those_of_paths() -> None:
    path = object_path("s3://bucket/2024/a.jpg")
    assert path is not None
    assert (path.name, path.suffix, str(path.parent), str(path.parent / "b.jpg")) == (
        "a.jpg",
        ".jpg",
        "s3://bucket/2024",
        "s3://bucket/2024/b.jpg",
    )
    assert path.is_relative_to(Path("s3://bucket"))
    assert not path.is_relative_to(Path("/"))
    assert str(path.relative_to(path.parent.parent)) == "2024/a.jpg"
    assert {path: 1}[as_path(b"s3://bucket/2024/a.jpg")] == 1  # type: ignore[index]
    assert str(pickle.loads(pickle.dumps(path))) == "s3://bucket/2024/a.jpg"
    assert path.is_absolute()
    assert not path.relative_to(path.parent).is_absolute()


def test_object_paths_are_no_files_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s3:" / "bucket").mkdir(parents=True)
    path = object_path("s3://bucket")
    assert path is not None
    assert (path.exists(), path.is_dir(), path.is_file()) == (False, False, False)
    assert path.resolve() is path
    with pytest.raises(FileNotFoundError):
        path.open("rb")
    with pytest.raises(FileNotFoundError):
        list(path.iterdir())


def test_schemes_are_found_before_they_are_known() -> None:
    assert (scheme_of("GS://bucket"), scheme_of(Path("https://a/b")), scheme_of("/gs:/a"), scheme_of("c:/a")) == (
        "gs",
        "https",
        None,
        None,
    )
