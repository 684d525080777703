"""Failures are told in plain words, not in those of the code that failed."""

import io
import struct

import pytest
from PIL import Image

from core.errors import PictureUndecodable, PictureUnreadable
from pictures.decode import decode
from pictures.failures import picture_errors, plain_message


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (struct.error("unpack_from requires a buffer of at least 4 bytes"), "the file is damaged"),
        (KeyError(12336), "the file is damaged"),
        (IndexError("list index out of range"), "the file is damaged"),
        (ValueError("invalid literal for int() with base 10: b'255xxx'"), "the file is damaged"),
        (SyntaxError("not identified by this driver"), "its header is damaged"),
        (OSError("broken data stream when reading image file"), "its pixels are damaged"),
        (OSError("cannot load this image"), "it has no pixels"),
        (OSError("image file is truncated (12 bytes not processed)"), "the file is truncated"),
        (OSError("Image size (999 pixels) exceeds limit of 99 pixels, could"), "its frames are too large: 999 pixels"),
        (ValueError("maxval must be greater than 0"), "maxval must be greater than 0"),
        (RuntimeError(""), "RuntimeError"),
    ],
)  # fmt: skip
def test_plain_words(error: Exception, words: str) -> None:
    assert plain_message(error) == words
    with pytest.raises(PictureUndecodable) as caught, picture_errors():
        raise error
    assert (caught.value.detail, caught.value.__cause__) == (words, error)


def test_wrapped_errors_of_code_say_nothing_about_it() -> None:
    wrapped = SyntaxError(IndexError("string index out of range"))
    wrapped.__cause__ = IndexError("string index out of range")
    assert plain_message(wrapped) == "the file is damaged"


def test_memory_and_disks_are_no_fault_of_the_file() -> None:
    for error in (MemoryError(), OSError(5, "Input/output error")):
        with pytest.raises(PictureUnreadable), picture_errors():
            raise error


@pytest.mark.parametrize("length", range(1, 12))
@pytest.mark.parametrize("form", ["BMP", "PNG", "JPEG", "GIF", "TIFF", "WEBP", "AVIF", "PPM", "TGA", "JPEG2000"])
def test_files_of_a_few_bytes_fail_in_plain_words(form: str, length: int) -> None:
    file = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(file, form)
    with pytest.raises(PictureUndecodable) as caught:
        decode(file.getvalue()[:length])
    assert "unpack" not in caught.value.detail
    assert "out of range" not in caught.value.detail


def test_log_messages_of_pillow_are_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """Python prints log messages for which no handler is set up; Pillow logs errors about TIFFs."""
    import logging
    import subprocess
    import sys

    assert any(isinstance(handler, logging.NullHandler) for handler in logging.getLogger("PIL").handlers)
    code = "import pictures.decode, logging; logging.getLogger('PIL.TiffImagePlugin').error('More samples')"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert capfd.readouterr().err == ""
