"""Render the demonstration gallery: `python -m examples.make_gallery`.

Writes the pictures of `curated.GALLERY` below `examples/gallery/` together with `captions.jsonl`, one caption a line:
{"image": "sea/bay-at-noon.jpg", "caption": "...", "lang": "en"}. The same Pillow gives the same bytes.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from examples.curated import GALLERY, Entry
from examples.photo_metadata import photo_metadata
from examples.scenes import captions, render

__all__ = ["FOLDER", "caption_lines", "write_gallery"]

FOLDER = Path(__file__).parent / "gallery"
_JPEG_QUALITY = 85
"""JPEG quality that keeps the hundred pictures below 4 MB in total."""


def caption_lines() -> Iterator[str]:
    """Return the lines of `captions.jsonl`, without line ends."""
    for entry in GALLERY:
        for lang, texts in captions(entry.scene).items():
            for text in texts:
                yield json.dumps({"image": entry.image, "caption": text, "lang": lang}, ensure_ascii=False)


def write_gallery(folder: Path = FOLDER) -> None:
    """Write all pictures and the captions below a folder."""
    for entry in GALLERY:
        _write_picture(entry, folder / entry.image)
    text = "".join(line + "\n" for line in caption_lines())
    (folder / "captions.jsonl").write_text(text, encoding="utf-8")


def _write_picture(entry: Entry, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = render(entry.scene, *entry.size)
    image.save(path, quality=_JPEG_QUALITY, optimize=True, exif=photo_metadata(entry))


if __name__ == "__main__":
    write_gallery()
