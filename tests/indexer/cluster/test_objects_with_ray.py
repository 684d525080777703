"""`sightline index --ray auto` with objects of a store that speaks S3, which the processes of Ray read themselves."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from tests.support.object_stores import png_bytes
from tests.support.processes import Cli
from tests.support.s3_server import S3Server
from tests.support.tools import miss

pytestmark = [pytest.mark.servers, pytest.mark.processes]


def test_processes_of_ray_read_objects(s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if find_spec("ray") is None:
        miss("ray", "the package is not installed")
    for name, colour in (("red.png", "red"), ("2024/a b+c%20é.png", "lime"), ("2024/again.png", "lime")):
        s3_server.put(f"photos/{name}", png_bytes(colour))
    s3_server.put("photos/broken.png", b"\x89PNG\r\n\x1a\n")
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    cli = Cli(tmp_path / "library")
    first = cli("index", "s3://bucket/photos", "--model", "fake", "--ray", "auto").stdout
    assert b": 3 new, 1 failed" in first
    with Library.open(tmp_path / "expected", create=True) as expected:
        index(expected, "s3://bucket/photos", FakeEncoder())
    assert cli.vectors() == Cli(tmp_path / "expected").vectors()
    assert b": 3 unchanged, 1 failed" in cli("index", "s3://bucket/photos", "--ray", "auto").stdout
