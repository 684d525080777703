"""What the libtiff of Pillow can decompress."""

import io

import pytest
from PIL import Image, TiffImagePlugin

from core.errors import PictureUndecodable
from pictures.decode import decode
from pictures.tiff import reading
from pictures.tiff.libtiff import can_decompress, silence_libtiff


def test_compressions_that_every_libtiff_knows() -> None:
    assert silence_libtiff()  # it was found
    assert all(map(can_decompress, (1, 2, 3, 4, 5, 32773)))
    assert not can_decompress(12336)


def test_compression_that_this_libtiff_does_not_know_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As WebP in TIFF, which the wheels of Pillow cannot read: the picture is not damaged."""
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(file, "TIFF", compression="jpeg")
    damaged = file.getvalue().replace(b"\xff\xdb", b"\xff\xfe")
    with pytest.raises(PictureUndecodable, match="compressed pixels are damaged"):
        decode(damaged)
    monkeypatch.setattr(reading, "can_decompress", lambda compression: compression != 7)
    assert TiffImagePlugin.COMPRESSION_INFO[7] == "jpeg"
    with pytest.raises(PictureUndecodable, match="TIFF with compression 7 is not supported"):
        decode(damaged)
