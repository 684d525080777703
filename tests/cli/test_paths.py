"""Paths as they are given in a shell."""

from pathlib import Path

import pytest

from cli.paths import logical_path
from core.object_paths import ObjectPath


def test_scheme_of_a_store_stands_before_a_folder_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "s3:" / "bucket").mkdir(parents=True)
    (tmp_path / "trip:" / "2024").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PWD", str(tmp_path))
    assert isinstance(logical_path(Path("s3://bucket")), ObjectPath)
    assert logical_path(Path("trip:/2024")) == tmp_path / "trip:" / "2024"
    assert str(logical_path(Path("./s3:/bucket").absolute())) == str(tmp_path / "s3:" / "bucket")
    assert logical_path(Path("gs://bucket")) == Path("gs://bucket")
