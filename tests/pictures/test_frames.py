"""The frames of picture files: which are read, in which order, and at which time."""

import io
import struct
from itertools import pairwise

import pytest
from PIL import Image, ImageCms, TiffImagePlugin

from core.errors import PictureTooLarge, PictureUndecodable, PictureUnreadable
from core.frames import Frame, FrameKind
from pictures import decode as decode_module
from pictures import frame_pixels
from pictures import frames as frames_module
from pictures.color.conversion import to_8_bit
from pictures.decode import DecodeSettings, decode, decode_frames
from pictures.frames import MAX_MOMENTS, MAX_PAGES

RED, LIME, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def saved(images: list[Image.Image], kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    first, *others = images
    first.save(file, kind, save_all=True, append_images=others, **options)
    return file.getvalue()


def plain(colour: tuple[int, int, int], size: tuple[int, int] = (40, 30)) -> Image.Image:
    return Image.new("RGB", size, colour)


def close(pixel: object, colour: tuple[int, int, int]) -> bool:
    """Whether a pixel has a colour, up to the loss of a lossy format."""
    return isinstance(pixel, tuple) and all(abs(a - b) <= 4 for a, b in zip(pixel, colour, strict=True))


def colours(data: bytes, settings: DecodeSettings | None = None) -> list[object]:
    return [decoded.image.getpixel((5, 5)) for _, decoded in decode_frames(data, settings)]


def test_a_still_picture_has_one_frame_without_description() -> None:
    for kind in ("PNG", "JPEG", "TIFF", "GIF", "WEBP"):
        ((frame, decoded),) = decode_frames(saved([plain(RED)], kind) if kind != "JPEG" else jpeg())
        assert frame is None
        assert decoded.image.size == (40, 30)


def jpeg() -> bytes:
    file = io.BytesIO()
    plain(RED).save(file, "JPEG")
    return file.getvalue()


def test_pages_are_in_the_order_of_the_file() -> None:
    data = saved([plain(RED), plain(LIME, (30, 40)), plain(BLUE)], "TIFF")
    found = list(decode_frames(data))
    assert [frame for frame, _ in found] == [Frame(number, FrameKind.PAGE) for number in range(3)]
    assert [decoded.image.getpixel((5, 5)) for _, decoded in found] == [RED, LIME, BLUE]
    assert [(decoded.info.width, decoded.info.height) for _, decoded in found] == [(40, 30), (30, 40), (40, 30)]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_moments_have_the_time_at_which_they_are_shown(kind: str) -> None:
    data = saved([plain(RED), plain(LIME), plain(BLUE)], kind, duration=[500, 700, 300])
    found = list(decode_frames(data))
    assert [frame and (frame.kind, frame.seconds) for frame, _ in found] == [
        (FrameKind.MOMENT, 0.0),
        (FrameKind.MOMENT, 0.5),
        (FrameKind.MOMENT, 1.2),
    ]
    for (_, decoded), colour in zip(found, [RED, LIME, BLUE], strict=True):
        assert close(decoded.image.getpixel((5, 5)), colour)


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "WEBP", "PNG", "AVIF"])
def test_one_frame_is_decoded_as_among_all(kind: str) -> None:
    data = saved([plain(RED), plain(LIME), plain(BLUE)], kind)
    for number, (_, expected) in enumerate(decode_frames(data, shortest_side=8)):
        assert decode(data, shortest_side=8, frame=number).image.tobytes() == expected.image.tobytes()
    with pytest.raises(PictureUndecodable, match="it has no frame 4, only 3"):
        decode(data, frame=3)
    with pytest.raises(PictureUndecodable, match="it has no frame 0"):
        decode(data, frame=-1)


def test_of_a_long_animation_evenly_spaced_moments_are_read() -> None:
    shades = [plain((8 * number, 0, 0)) for number in range(30)]
    found = list(decode_frames(saved(shades, "GIF", duration=100)))
    assert len(found) == MAX_MOMENTS
    positions = [round(frame.seconds * 10) for frame, _ in found if frame is not None and frame.seconds is not None]
    assert positions == [0, 3, 7, 11, 15, 18, 22, 26]
    assert [decoded.image.getpixel((5, 5)) for _, decoded in found] == [(8 * number, 0, 0) for number in positions]


def test_of_an_animation_that_is_too_long_the_beginning_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames_module, "MAX_ANIMATION_PIXELS", 40 * 30)
    monkeypatch.setattr(frames_module, "MIN_FRAME_PIXELS", 1)
    data = saved([plain(RED), plain(LIME), plain(BLUE)], "GIF", duration=100)
    assert colours(data) == [RED, LIME]


def test_further_pages_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames_module, "MAX_PAGES", 2)
    assert colours(saved([plain(RED), plain(LIME), plain(BLUE)], "TIFF")) == [RED, LIME]
    assert MAX_PAGES >= 100


def test_a_small_first_page_is_a_preview() -> None:
    data = saved([plain(RED, (160, 120)), plain(LIME, (1600, 1200))], "TIFF")
    ((frame, decoded),) = decode_frames(data)
    assert frame is None
    assert (decoded.info.width, decoded.image.getpixel((5, 5))) == (1600, LIME)
    assert decode(data).image.getpixel((5, 5)) == LIME


@pytest.mark.parametrize("sizes", [((160, 120), (400, 300)), ((600, 30), (3000, 2000))])
def test_a_page_that_is_only_smaller_is_a_page(sizes: tuple[tuple[int, int], tuple[int, int]]) -> None:
    assert colours(saved([plain(RED, sizes[0]), plain(LIME, sizes[1])], "TIFF")) == [RED, LIME]


@pytest.mark.parametrize(("tag", "value", "pages"), [(254, 1, 1), (255, 2, 1), (254, 2, 2), (255, 3, 2)])
def test_tags_tell_previews_from_pages(tag: int, value: int, pages: int) -> None:
    """NewSubfileType: bit 0 is a reduced version, bit 1 a page. SubfileType: 2 is reduced, 3 a page."""
    file = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(file) as writer:
        plain(RED).save(writer, "TIFF", tiffinfo={tag: value})
        writer.newFrame()
        plain(LIME).save(writer, "TIFF")
        writer.newFrame()
    assert colours(file.getvalue()) == [RED, LIME][-pages:]


def test_all_frames_have_the_metadata_of_the_file() -> None:
    data = saved([plain(RED), plain(LIME)], "TIFF", tiffinfo={271: "Camera", 272: "Camera 1"})
    assert [decoded.info.metadata.camera for _, decoded in decode_frames(data)] == ["Camera 1", "Camera 1"]


def test_a_page_that_is_too_large_is_left_out() -> None:
    data = saved([plain(RED), plain(LIME, (60, 60)), plain(BLUE)], "TIFF")
    found = list(decode_frames(data, DecodeSettings(max_pixels=2_000)))
    assert [frame and frame.number for frame, _ in found] == [0, 2]
    with pytest.raises(PictureTooLarge):
        list(decode_frames(saved([plain(LIME, (60, 60)), plain(RED)], "TIFF"), DecodeSettings(max_pixels=2_000)))


def directories(data: bytes) -> list[int]:
    """Return the positions of the pointers to each directory of a little-endian TIFF, and to the end."""
    pointers = [4]
    while (offset := struct.unpack_from("<I", data, pointers[-1])[0]) != 0:
        (entries,) = struct.unpack_from("<H", data, offset)
        pointers.append(offset + 2 + 12 * entries)
    return pointers


def with_pointer(data: bytes, number: int, offset: int) -> bytes:
    changed = bytearray(data)
    struct.pack_into("<I", changed, directories(data)[number], offset)
    return bytes(changed)


@pytest.mark.parametrize("pointer", [8, -3, 1 << 31])
def test_a_damaged_chain_of_pages_ends_the_document(pointer: int) -> None:
    """The second page points back to the first, or to the end of the file or beyond it."""
    data = saved([plain(RED), plain(LIME), plain(BLUE)], "TIFF")
    assert len(directories(data)) == 4
    assert colours(with_pointer(data, 2, pointer % len(data) if pointer < 0 else pointer)) == [RED, LIME]


def test_a_page_whose_pixels_are_cut_off_is_left_out() -> None:
    noise = [Image.effect_noise((64, 64), 90) for _ in range(3)]
    data = saved(noise, "TIFF", compression="tiff_deflate")
    starts = directories(data)
    assert all(first < second for first, second in pairwise(starts))
    with Image.open(io.BytesIO(data)) as image:
        image.seek(1)
        (offset,) = image.tag_v2[273]  # type: ignore[attr-defined]
    broken = bytearray(data)
    broken[offset : offset + 200] = bytes(200)
    assert [frame and frame.number for frame, _ in decode_frames(bytes(broken))] == [0, 2]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_an_animation_that_is_cut_off_keeps_its_first_frame(kind: str) -> None:
    """A file is refused because of its first frame only."""
    noise = [Image.effect_noise((64, 64), 90).convert("RGB") for _ in range(3)]
    data = saved(noise, kind)
    for share in (0.95, 0.6, 0.4):
        cut = data[: int(len(data) * share)]
        try:
            first = decode(cut)
        except PictureUndecodable:
            continue
        found = list(decode_frames(cut))
        assert found[0][1].image.tobytes() == first.image.tobytes()
        assert len(found) <= 3


def test_tiny_frames_count_as_larger_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of 2 MB can have 100,000 frames of one pixel."""
    monkeypatch.setattr(frames_module, "MAX_ANIMATION_PIXELS", 1_000_000)
    data = saved([plain((8 * number, 0, 0)) for number in range(30)], "GIF", duration=100)
    seconds = [frame.seconds for frame, _ in decode_frames(data) if frame is not None]
    assert len(seconds) == MAX_MOMENTS
    assert seconds[-1] is not None
    assert seconds[-1] <= 1.0


def test_frames_that_are_larger_than_the_animation_count_with_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames_module, "MAX_ANIMATION_PIXELS", 1_000_000)
    data = saved([plain(RED, (600, 600)), plain(LIME, (600, 600)), plain(BLUE, (600, 600))] * 4, "GIF", duration=100)
    small = bytearray(data)
    small[6:10] = struct.pack("<2H", 1, 1)  # the size of the logical screen
    assert len(list(decode_frames(bytes(small)))) <= 3


def red_as_blue() -> bytes:
    """Return an ICC profile in which the red and blue primaries of sRGB are exchanged."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    (count,) = struct.unpack_from(">I", profile, 128)
    positions = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * count, 12)}
    red, blue = positions[b"rXYZ"] + 4, positions[b"bXYZ"] + 4
    profile[red : red + 8], profile[blue : blue + 8] = profile[blue : blue + 8], profile[red : red + 8]
    return bytes(profile)


@pytest.mark.parametrize("profiled", [0, 1])
def test_the_profile_of_a_page_does_not_apply_to_others(profiled: int) -> None:
    file = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(file) as writer:
        for page in range(3):
            profile = {"icc_profile": red_as_blue()} if page == profiled else {}
            Image.new("RGB", (40, 30), (200, 60, 30)).save(writer, "TIFF", **profile)
            writer.newFrame()
    data = file.getvalue()
    for number in range(3):
        expected = (30, 60, 200) if number == profiled else (200, 60, 30)
        assert close(decode(data, frame=number).image.getpixel((5, 5)), expected)
    assert [close(pixel, (200, 60, 30)) for pixel in colours(data)] == [number != profiled for number in range(3)]


@pytest.mark.parametrize("pointer", [-1, 1 << 31, 20])
def test_a_damaged_end_of_one_page_costs_no_metadata(pointer: int) -> None:
    data = saved([plain(RED)], "TIFF", tiffinfo={271: "Camera", 272: "Camera 1"})
    broken = with_pointer(data, 1, pointer % len(data) if pointer < 0 else pointer)
    ((frame, decoded),) = decode_frames(broken)
    assert (frame, decoded.info.metadata.camera, decoded.image.getpixel((5, 5))) == (None, "Camera 1", RED)


def test_the_preview_is_the_picture_if_the_page_is_damaged() -> None:
    noise = Image.effect_noise((1024, 1024), 90).convert("RGB")
    data = saved([plain(RED, (160, 120)), noise], "TIFF")
    assert decode(data).info.width == 1024
    cut = data[: len(data) - 100_000]
    assert directories(cut)
    ((frame, decoded),) = decode_frames(cut)
    assert (frame, decoded.info.width, decoded.image.getpixel((5, 5))) == (None, 160, RED)
    assert decode(cut).image.getpixel((5, 5)) == RED


@pytest.mark.parametrize("preview", [False, True])
def test_a_page_for_which_memory_is_short_is_not_left_out(monkeypatch: pytest.MonkeyPatch, preview: bool) -> None:
    """The whole file is tried again by the next run. A preview does not take the place of the page."""
    real, calls = to_8_bit, list[int]()

    def short_of_memory(image: Image.Image) -> Image.Image:
        calls.append(1)
        if len(calls) == (1 if preview else 2):
            raise MemoryError
        return real(image)

    monkeypatch.setattr(frame_pixels, "to_8_bit", short_of_memory)
    with pytest.raises(PictureUnreadable, match="not enough memory") as caught:
        colours(saved([plain(RED), plain(LIME, (640, 480) if preview else (40, 30))], "TIFF"))
    assert caught.value.transient


def test_error_of_a_file_that_needs_no_repair_is_not_its_own_cause() -> None:
    """Code that follows the causes of an error would not end."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "TIFF")
    with pytest.raises(PictureUndecodable, match="no frame 4") as caught:
        decode_module.decode(file.getvalue(), frame=3)
    assert caught.value.__cause__ is not caught.value
