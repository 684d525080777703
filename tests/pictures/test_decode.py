import errno
import io
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

import pictures.frame_pixels
from core.errors import PictureTooLarge, PictureUndecodable, PictureUnreadable, PictureUnsupported
from pictures.decode import DecodeSettings, decode, decode_frames

Pixels = NDArray[np.uint8]


def encode(image: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def pixels_of(image: Image.Image) -> NDArray[np.int16]:
    return np.asarray(image).astype(np.int16)


def scene(width: int = 48, height: int = 32) -> Image.Image:
    """Return a smooth picture without symmetry: red increases to the right, green downwards; the top left is blue."""
    y, x = np.mgrid[0:height, 0:width]
    blue = np.where((x < width // 3) & (y < height // 3), 255, 0)
    return Image.fromarray(np.stack([x * 255 // width, y * 255 // height, blue], axis=-1).astype(np.uint8))


STORED: dict[int, Callable[[Pixels], Pixels]] = {
    # EXIF orientation: where row 0 and column 0 of the stored pixels lie in the upright picture (Exif 2.32, table 4)
    1: lambda a: a,  # top, left
    2: lambda a: a[:, ::-1],  # top, right
    3: lambda a: a[::-1, ::-1],  # bottom, right
    4: lambda a: a[::-1],  # bottom, left
    5: lambda a: a.swapaxes(0, 1),  # left, top
    6: lambda a: a[:, ::-1].swapaxes(0, 1),  # right, top
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),  # right, bottom
    8: lambda a: a[::-1].swapaxes(0, 1),  # left, bottom
}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_orientations_are_decoded_upright(form: str, orientation: int) -> None:
    upright = scene()
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](np.asarray(upright))))
    quality = {} if form in ("PNG", "TIFF") else {"quality": 95}
    decoded = decode(encode(stored, form, exif=exif, **quality))
    assert (decoded.info.width, decoded.info.height, decoded.info.format) == (48, 32, form)
    assert np.abs(pixels_of(decoded.image) - pixels_of(upright)).mean() < 4
    assert decoded.image.getexif() == {}  # nothing left that would rotate it again


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientations_at_reduced_scale_are_decoded_upright(orientation: int) -> None:
    upright = scene(480, 320)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](np.asarray(upright))))
    decoded = decode(encode(stored, "JPEG", exif=exif), shortest_side=40)
    assert (decoded.info.width, decoded.info.height) == (480, 320)
    assert decoded.image.size == (120, 80)
    assert np.abs(pixels_of(decoded.image) - pixels_of(upright.resize((120, 80), Image.Resampling.BOX))).mean() < 4


@pytest.mark.parametrize("field", ["030001000000", "030001000900", "0300010000ff", "020002003600", "070001000600"])
def test_invalid_orientation_is_ignored(field: str) -> None:
    kind, count, value = (bytes.fromhex(field[start : start + 4]) for start in (0, 4, 8))
    block = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01" + kind + count + bytes(2) + value + bytes(6)
    assert decode(encode(scene(), "PNG", exif=block)).image.size == (48, 32)


@pytest.mark.parametrize(
    ("side", "width", "height"),
    [(128, 500, 375), (200, 1000, 750), (224, 1000, 750), (500, 2000, 1500), (1000, 4000, 3000), (9000, 4000, 3000)],
)
def test_jpeg_is_decoded_at_the_required_scale(side: int, width: int, height: int) -> None:
    jpeg = encode(Image.new("RGB", (4000, 3000), (10, 200, 90)), "JPEG")
    decoded = decode(jpeg, shortest_side=side)
    assert decoded.image.size == (width, height)
    assert (decoded.info.width, decoded.info.height) == (4000, 3000)


def test_other_formats_are_reduced_by_integer_factors() -> None:
    checks = np.indices((600, 900)).sum(axis=0) % 2 * 255
    decoded = decode(encode(Image.fromarray(checks.astype(np.uint8)), "PNG"), shortest_side=100)
    assert decoded.image.size == (300, 200)
    assert set(np.unique(np.asarray(decoded.image))) <= {
        113,
        114,
        141,
        142,
    }  # 4 or 5 of 9 pixels are white: 255 * 4 / 9, 5 / 9


def test_reduced_picture_is_close_to_the_full_one() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 10, (1200, 1600, 1))
    busy = np.clip(np.asarray(scene(1600, 1200)) * 0.6 + 50 + noise, 0, 255).astype(np.uint8)
    jpeg = encode(Image.fromarray(busy), "JPEG", quality=90)
    full, reduced = decode(jpeg).image, decode(jpeg, shortest_side=128).image
    assert reduced.size == (400, 300)
    small = [pixels_of(image.resize((128, 128), Image.Resampling.BICUBIC)) for image in (full, reduced)]
    assert np.abs(small[0] - small[1]).mean() < 1


def test_decode_accepts_a_file_object() -> None:
    png = encode(scene(), "PNG")
    assert np.array_equal(np.asarray(decode(io.BytesIO(png)).image), np.asarray(scene()))


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "TIFF", "MPO", "AVIF"])
def test_first_frame_of_an_animation_is_decoded(form: str) -> None:
    red, blue = Image.new("RGB", (40, 30), (250, 0, 0)), Image.new("RGB", (40, 30), (0, 0, 250))
    decoded = decode(encode(red, form, save_all=True, append_images=[blue]))
    assert decoded.info.format == form
    assert np.abs(pixels_of(decoded.image) - (250, 0, 0)).max() < 8


def test_pixel_limit_is_checked_before_decoding() -> None:
    png = encode(Image.new("L", (400, 300)), "PNG")
    assert decode(png, DecodeSettings(max_pixels=120_000)).info.width == 400
    with pytest.raises(PictureTooLarge) as caught:
        decode(png, DecodeSettings(max_pixels=119_999))
    assert (caught.value.width, caught.value.height) == (400, 300)


def test_extreme_aspect_ratios_are_rejected() -> None:
    assert decode(encode(Image.new("L", (1000, 10)), "PNG")).info.width == 1000
    for size in ((1001, 10), (10, 1001), (3000, 1)):
        with pytest.raises(PictureTooLarge, match="100 to 1"):
            decode(encode(Image.new("L", size), "PNG"))


def test_pillow_bomb_check_does_not_apply(monkeypatch: pytest.MonkeyPatch) -> None:
    png = encode(Image.new("L", (300, 300)), "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50_000)  # warns above 50,000; warnings are errors in tests
    assert decode(png).info.width == 300


def heic_head(major: bytes, *compatible: bytes) -> bytes:
    brands = b"".join(compatible)
    return (16 + len(brands)).to_bytes(4) + b"ftyp" + major + bytes(4) + brands + bytes(100)


@pytest.mark.parametrize("major", [b"heic", b"heix", b"mif1", b"msf1"])
def test_heic_error_names_the_missing_extra(major: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(PictureUnsupported, match=r"pip install 'sightline\[heic\]'"):
        decode(heic_head(major, b"mif1", b"heic"))


def test_heic_is_decoded_with_its_extra() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    heif = pillow_heif.from_pillow(scene(96, 64))
    file = io.BytesIO()
    heif.save(file, quality=90)
    decoded = decode(file.getvalue(), shortest_side=16)
    assert (decoded.info.format, decoded.info.width, decoded.info.height, decoded.image.size) == (
        "HEIF",
        96,
        64,
        (48, 32),
    )


def test_the_main_picture_of_a_heif_is_shown() -> None:
    """It need not be the first one."""
    pillow_heif = pytest.importorskip("pillow_heif")
    red, blue = (Image.new("RGB", (64, 48), color) for color in ("red", "blue"))
    for primary, expected in ((0, (255, 0, 0)), (1, (0, 0, 255))):
        heif = pillow_heif.from_pillow(red)
        heif.add_from_pillow(blue)
        file = io.BytesIO()
        heif.save(file, quality=-1, chroma=444, primary_index=primary)
        [(frame, first)] = decode_frames(file.getvalue())
        assert frame is None
        for image in (first.image, decode(file.getvalue(), frame=0).image):
            assert np.abs(np.asarray(image).astype(int) - expected).max() <= 3


def test_generic_container_with_av1_is_decoded_as_avif(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    avif = encode(scene(), "AVIF")
    assert avif[8:12] == b"avif"
    assert decode(avif[:8] + b"mif1" + avif[12:]).info.format == "AVIF"


class FailingDisk(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > 0:
            raise OSError(errno.EIO, "Input/output error")
        return super().read(size)


def test_read_error_is_unreadable_not_undecodable() -> None:
    with pytest.raises(PictureUnreadable) as caught:
        decode(FailingDisk(encode(scene(), "PNG")))
    assert caught.value.transient
    assert isinstance(caught.value.__cause__, OSError)


def test_errors_have_a_cause_and_a_short_detail() -> None:
    with pytest.raises(PictureUndecodable) as caught:
        decode(encode(scene(), "PNG")[:-60])
    assert caught.value.__cause__ is not None
    assert 0 < len(caught.value.detail) <= 200


def test_large_pictures_are_decoded_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    genuine, meeting = PngImageFile.load_prepare, threading.Barrier(2)
    met = []

    def watched(image: PngImageFile) -> None:  # this call needs the memory
        try:
            meeting.wait(timeout=0.3)
            met.append(True)
        except threading.BrokenBarrierError:
            met.append(False)
        genuine(image)

    monkeypatch.setattr(PngImageFile, "load_prepare", watched)
    png = encode(scene(), "PNG")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(decode, [png, png]))
        assert met == [True, True]  # small pictures are decoded in parallel
        meeting.reset()
        met.clear()
        monkeypatch.setattr(pictures.frame_pixels, "_LARGE_PICTURE_PIXELS", 48 * 32 - 1)
        list(pool.map(decode, [png, png]))
        assert met == [False, False]


def test_progressive_jpeg_counts_in_full_at_any_scale() -> None:
    image = Image.new("RGB", (800, 600))
    assert pictures.frame_pixels._pixels_in_memory(
        Image.open(io.BytesIO(encode(image, "JPEG", progressive=True))), 480_000
    ) == (480_000)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_decoded_pixels_do_not_keep_their_file(kind: str) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), (250, 20, 20)).save(buffer, kind, quality=95)
    decoded = decode(buffer.getvalue()).image
    assert type(decoded) is Image.Image  # not the class of an opened file
    assert decoded.info == {}
    difference = np.asarray(decoded, int) - (250, 20, 20)
    assert np.abs(difference).max() < 20
