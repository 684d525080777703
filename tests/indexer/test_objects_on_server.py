"""Indexing the objects of a server that speaks S3, with threads and processes that read them."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import FolderNotFound
from encoders.fake import FakeEncoder
from indexer import IndexSettings, index
from indexer.reader_pool import ReaderPool
from store import Library
from tests.support.indexing import nonzero_counts, vectors_by_path
from tests.support.s3_server import ENVIRONMENT, SECRET, S3Server

pytestmark = [pytest.mark.servers, pytest.mark.processes]


def picture(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (32, 32), colour).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("readers", ["threads", "processes"])
def test_objects_are_indexed_with_the_vectors_of_their_files(
    library: Library,
    s3_server: S3Server,
    encoder: FakeEncoder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    readers: str,
) -> None:
    defaults = ReaderPool.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "start_after", 0 if readers == "processes" else None)
    for name in ("red.png", "a b+c%20é.png", "2024/blue.png", "2024/e\u0301.png"):
        data = picture("red" if "red" in name else "blue")
        s3_server.put(f"photos/{name}", data)
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(data)
    settings = IndexSettings(workers=2)
    assert index(library, "s3://bucket/photos", encoder, settings).new == 4
    with Library.open(tmp_path / "of-folder", create=True) as of_folder:
        index(of_folder, tmp_path / "photos", encoder, settings)
        expected = vectors_by_path(of_folder)
    held = vectors_by_path(library)
    assert held.keys() == expected.keys()
    for name, vector in held.items():
        np.testing.assert_array_equal(vector, expected[name])
    assert nonzero_counts(index(library, "s3://bucket/photos", encoder, settings)) == {"unchanged": 4}
    s3_server.put("photos/red.png", picture("lime"))
    s3_server.delete("photos/2024/blue.png")
    again = nonzero_counts(index(library, "s3://bucket/photos", encoder, settings))
    assert (again["changed"], again["missing"], again["unchanged"]) == (1, 1, 2)


def test_credentials_are_not_stored(library: Library, s3_server: S3Server, encoder: FakeEncoder) -> None:
    s3_server.put("photos/red.png", picture("red"))
    index(library, "s3://bucket/photos", encoder)
    with pytest.raises(FolderNotFound) as caught:
        index(library, "s3://nobucket", encoder)
    secrets = (SECRET, ENVIRONMENT["AWS_ACCESS_KEY_ID"], s3_server.url)
    assert not any(secret in str(caught.value) for secret in secrets)
    stored = [file.read_bytes() for file in library.path.rglob("*") if file.is_file()]
    assert stored
    assert not any(secret.encode() in data for secret in secrets for data in stored)
