"""Small videos, encoded with PyAV. Tests that use them are skipped where it is not installed."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["rotate_track", "scene", "write_video"]

SIZE = (96, 64)


def scene(colour: str, size: tuple[int, int] = SIZE) -> Image.Image:
    """Return a picture of one colour with a white bar at its left, so that it is not plain and has an upright side."""
    image = Image.new("RGB", size, colour)
    image.paste("white", (0, 0, size[0] // 4, size[1]))
    return image


def write_video(
    path: Path,
    *scenes: Image.Image,
    seconds: float = 2,
    rate: int = 10,
    key_frames_every: int = 10,
    codec: str = "mpeg4",
    form: str | None = None,
    metadata: Mapping[str, str] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Write a video that shows each scene for a time."""
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(
        str(path), "w", format=form, options={"movflags": "use_metadata_tags", **(options or {})}
    ) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height = scenes[0].size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = key_frames_every
        stream.codec_context.time_base = Fraction(1, rate)
        for number, image in enumerate(_shown(scenes, round(seconds * rate))):
            frame = av.VideoFrame.from_ndarray(np.asarray(image), "rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _shown(scenes: Sequence[Image.Image], frames: int) -> list[Image.Image]:
    return [image for image in scenes for _ in range(frames)]


def rotate_track(data: bytes) -> bytes:
    """Return the bytes of an MP4 whose display matrix turns it by 90 degrees to the right."""
    one, unit = (0x10000).to_bytes(4), (0x40000000).to_bytes(4)
    identity = one + bytes(12) + one + bytes(12) + unit
    turned = bytes(4) + one + bytes(4) + (0xFFFF0000).to_bytes(4) + bytes(16) + unit
    track = data.index(b"tkhd")
    place = data.index(identity, track)
    return data[:place] + turned + data[place + len(identity) :]
