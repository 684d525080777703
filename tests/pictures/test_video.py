"""Videos: which moments become frames, that seeking finds the same ones, and facts of containers."""

import io
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import PictureTooLarge, PictureUndecodable, PictureUnsupported
from core.frames import FrameKind
from core.metadata import DateSource
from pictures.decode import Decoded, DecodeSettings, decode, decode_frames, read_header
from pictures.extras import extra_is_installed
from pictures.video import is_video_head
from pictures.video.facts import read_facts
from pictures.video.moments import MAX_VIDEO_MOMENTS
from tests.support.video_files import rotate_track, scene, write_video

needs_av = pytest.mark.skipif(not extra_is_installed("video"), reason="needs the extra `video`")


def colour(decoded: Decoded) -> str:
    """Return the name of the nearest pure colour in the middle of the picture."""
    red, green, blue = np.asarray(decoded.image)[decoded.image.height // 2, decoded.image.width // 2]
    names = {"red": red, "green": green, "blue": blue}
    return "black" if max(names.values()) < 60 else max(names, key=lambda name: names[name])


@needs_av
def test_each_scene_is_a_moment(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", scene("red"), scene("blue"), scene("green"), scene("red"))
    with path.open("rb") as file:
        found = list(decode_frames(file))
    assert [colour(decoded) for _, decoded in found] == ["red", "blue", "green"]  # red is not taken again
    frames = [frame for frame, _ in found if frame is not None]
    assert [(frame.number, frame.kind) for frame in frames] == [(n, FrameKind.MOMENT) for n in range(3)]
    assert [frame.seconds for frame in frames] == [0.0, pytest.approx(2, abs=0.3), pytest.approx(4, abs=0.3)]


@needs_av
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov", "clip.mkv", "clip.avi", "clip.ts", "clip.3gp", "clip.m4v"])
@pytest.mark.parametrize("every", [5, 25, 500])
def test_moment_is_the_same_frame_however_it_is_reached(tmp_path: Path, name: str, every: int) -> None:
    """Between key frames, too: with `every` of 500 the first frame is the only one."""
    scenes = [scene("red"), scene("blue"), scene("green"), scene("navy"), scene("maroon")]
    data = write_video(tmp_path / name, *scenes, seconds=1.5, key_frames_every=every).read_bytes()
    found = list(decode_frames(data, shortest_side=32))
    assert len(found) >= 4
    for frame, decoded in found:
        assert frame is not None
        by_number = decode(data, shortest_side=32, frame=frame.number)
        by_time = decode(data, shortest_side=32, frame=frame.number, seconds=frame.seconds)
        assert decoded.image.tobytes() == by_number.image.tobytes() == by_time.image.tobytes()


@needs_av
@pytest.mark.parametrize("codec", ["libx264", "libx265", "libvpx-vp9"])
def test_moments_of_codecs_that_reorder_frames_are_the_same(tmp_path: Path, codec: str) -> None:
    scenes = [scene("red"), scene("blue"), scene("green")]
    data = write_video(tmp_path / "clip.mkv", *scenes, codec=codec, key_frames_every=15).read_bytes()
    found = list(decode_frames(data))
    assert [colour(decoded) for _, decoded in found] == ["red", "blue", "green"]
    for frame, decoded in found:
        assert frame is not None
        again = decode(data, frame=frame.number, seconds=frame.seconds)
        assert again.image.tobytes() == decoded.image.tobytes()


@needs_av
def test_video_of_one_scene_is_a_still_picture(tmp_path: Path) -> None:
    ((frame, decoded),) = decode_frames(write_video(tmp_path / "clip.mp4", scene("red"), seconds=4).read_bytes())
    assert frame is None
    assert (decoded.info.format, decoded.info.width, decoded.info.height) == ("MP4", 96, 64)
    assert decoded.info.metadata.duration == pytest.approx(4)


@needs_av
def test_first_moment_is_not_a_fade(tmp_path: Path) -> None:
    data = write_video(tmp_path / "clip.mp4", Image.new("RGB", (96, 64)), scene("blue"), scene("red")).read_bytes()
    (first, decoded), *_ = decode_frames(data)
    assert first is not None
    assert first.seconds == pytest.approx(2, abs=0.3)
    assert colour(decoded) == "blue"
    assert decode(data).image.tobytes() == decoded.image.tobytes()


@needs_av
def test_moments_are_limited(tmp_path: Path) -> None:
    scenes = [Image.effect_noise((96, 64), 200).convert("RGB") for _ in range(60)]
    data = write_video(tmp_path / "clip.mp4", *scenes, seconds=1, rate=5, key_frames_every=5).read_bytes()
    found = list(decode_frames(data, shortest_side=16))
    assert len(found) == MAX_VIDEO_MOMENTS
    times = [frame.seconds for frame, _ in found if frame is not None and frame.seconds is not None]
    assert times == sorted(times)


@needs_av
def test_rotated_video_is_upright(tmp_path: Path) -> None:
    data = rotate_track(write_video(tmp_path / "clip.mp4", scene("red"), scene("blue")).read_bytes())
    for _, decoded in decode_frames(data):
        assert decoded.image.size == (64, 96)
        assert (decoded.info.width, decoded.info.height) == (64, 96)
        assert min(np.asarray(decoded.image)[5, 32]) > 200  # the bar is at the top


@needs_av
def test_frames_are_decoded_at_a_reduced_scale(tmp_path: Path) -> None:
    scenes = [scene("red", (640, 480)), scene("blue", (640, 480))]
    for _, decoded in decode_frames(write_video(tmp_path / "clip.mp4", *scenes).read_bytes(), shortest_side=60):
        assert decoded.image.size == (160, 120)
        assert (decoded.info.width, decoded.info.height) == (640, 480)


@needs_av
def test_video_with_too_many_pixels_is_refused(tmp_path: Path) -> None:
    data = write_video(tmp_path / "clip.mp4", scene("red")).read_bytes()
    with pytest.raises(PictureTooLarge):
        decode(data, DecodeSettings(max_pixels=1_000))


@needs_av
def test_interrupted_recording_is_named(tmp_path: Path) -> None:
    data = write_video(tmp_path / "clip.mp4", scene("red")).read_bytes()
    with pytest.raises(PictureUndecodable, match=r"index \(moov\) is missing"):
        decode(data[: len(data) // 2])


@needs_av
def test_cut_video_has_the_moments_that_are_there(tmp_path: Path) -> None:
    scenes = [scene("red"), scene("blue"), scene("green")]
    data = write_video(tmp_path / "clip.mp4", *scenes, options={"movflags": "faststart"}).read_bytes()
    found = list(decode_frames(data[: len(data) * 6 // 10]))
    colours = [colour(decoded) for _, decoded in found]
    assert colours[0] == "red"
    assert "green" not in colours


@needs_av
def test_sound_without_pictures_is_undecodable(tmp_path: Path) -> None:
    import av

    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44_100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44_100
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(PictureUndecodable, match="no video track"):
        decode(path.read_bytes())


@needs_av
def test_facts_of_the_container(tmp_path: Path) -> None:
    tags = {
        "com.apple.quicktime.creationdate": "2020-05-06T21:08:09+0200",
        "com.apple.quicktime.location.ISO6709": "+48.8577+002.2950+035.0/",
        "com.apple.quicktime.make": "Apple",
        "com.apple.quicktime.model": "iPhone 6",
        "creation_time": "2020-05-06T19:08:09Z",
    }
    data = write_video(tmp_path / "clip.mov", scene("red"), metadata=tags).read_bytes()
    metadata = decode(data).info.metadata
    assert metadata.taken_at == datetime(2020, 5, 6, 21, 8, 9)  # noqa: DTZ001
    assert (metadata.utc_offset, metadata.date_source) == (120, DateSource.ORIGINAL)
    assert (metadata.latitude, metadata.longitude, metadata.camera) == (48.8577, 2.295, "Apple iPhone 6")
    assert read_header(io.BytesIO(data)) == metadata


def test_date_of_the_header_is_utc_and_less_trusted() -> None:
    metadata = read_facts({"creation_time": "2017-02-22T08:20:28.000000Z"}, 1.0)
    assert metadata.taken_at == datetime(2017, 2, 22, 8, 20, 28)  # noqa: DTZ001
    assert (metadata.utc_offset, metadata.date_source) == (0, DateSource.DIGITIZED)


@pytest.mark.parametrize("date", ["1904-01-01T00:00:00.000000Z", "1970-01-01T00:00:00Z", "", "soon"])
def test_clock_that_was_never_set_is_no_date(date: str) -> None:
    assert read_facts({"creation_time": date}, None).taken_at is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+27.5916+086.5640+8850/", (27.5916, 86.564)),
        ("-33.5-070.25/", (-33.5, -70.25)),
        ("+5124.9+00005.1/", (51.415, 0.085)),
        ("+512454-0000506.0/", (51.415, -0.085)),
        ("+00.0000+000.0000/", (None, None)),
        ("+95.0+000.1/", (None, None)),
        ("here", (None, None)),
    ],
)
def test_positions_of_iso_6709(text: str, expected: tuple[float | None, float | None]) -> None:
    metadata = read_facts({"location": text}, None)
    assert (metadata.latitude, metadata.longitude) == pytest.approx(expected, abs=1e-6)


def ftyp(major: bytes) -> bytes:
    return (24).to_bytes(4) + b"ftyp" + major + bytes(4) + b"mp42isom" + bytes(40)


@pytest.mark.parametrize("major", [b"isom", b"mp42", b"qt  ", b"M4V ", b"3gp5", b"avc1", b"MSNV", b"dash"])
def test_brands_of_videos(major: bytes) -> None:
    assert is_video_head(ftyp(major))


@pytest.mark.parametrize("major", [b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis", b"crx ", b"jp2 "])
def test_brands_of_pictures_are_no_videos(major: bytes) -> None:
    assert not is_video_head(ftyp(major))


def test_gif_is_no_video() -> None:
    assert not is_video_head(b"GIF89a".ljust(64, b"G"))


def test_video_without_its_extra_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pictures.video.file.extra_is_installed", lambda _: False)
    with pytest.raises(PictureUnsupported, match=r"pip install 'sightline\[video\]'") as caught:
        decode(ftyp(b"isom"))
    assert caught.value.reason == "needs-video"
