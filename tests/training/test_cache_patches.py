"""The pictures that teach the patch head."""

from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("torch")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Write eight photos with a caption each, and one without."""
    import json

    from training.corpora import LANGUAGES

    folder = tmp_path / "flickr8k" / "images"
    folder.mkdir(parents=True)
    rows = []
    for number in range(8):
        Image.new("RGB", (40, 20), (30 * number, 0, 0)).save(folder / f"{number}.jpg")
        rows.append({"image": f"images/{number}.jpg", "caption": "red", "lang": "en", "split": "train"})
    for lang in LANGUAGES:
        lines = "".join(json.dumps(row) + "\n" for row in rows if lang == "en")
        (tmp_path / "flickr8k" / f"captions.{lang}.jsonl").write_text(lines)
    (tmp_path / "unlabelled" / "houses").mkdir(parents=True)
    Image.new("RGB", (40, 20)).save(tmp_path / "unlabelled" / "houses" / "h.jpg")
    return tmp_path


def test_no_photo_is_in_a_mosaic_and_alone(data: Path) -> None:
    from training.cache_patches import Counts, choose

    items = choose(data, Counts(photos=3, mosaics=1, others=(1, 1, 1), scenes=0))
    assert sorted(item.kind for item in items) == ["extra", "mosaic", "photo", "photo", "photo"]
    paths = [path for item in items for path in item.paths]
    assert len(paths) == len(set(paths)) == 8
    assert items == choose(data, Counts(photos=3, mosaics=1, others=(1, 1, 1), scenes=0))


def test_a_mosaic_shows_its_photos_row_by_row(data: Path) -> None:
    from training.cache_patches import Item, picture

    paths = [f"flickr8k/images/{number}.jpg" for number in (1, 2, 4, 6)]
    mosaic = picture(data, Item("mosaic", paths, (0, 0, 1, 1)), 64)
    reds = [mosaic.getpixel(at)[0] for at in ((16, 16), (48, 16), (16, 48), (48, 48))]  # type: ignore[index]
    assert reds == pytest.approx([30, 60, 120, 180], abs=3)
