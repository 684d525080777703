"""The pictures that teach the patch head."""

from pathlib import Path

import numpy as np
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


def test_maps_at_512_pixels_are_computed_again_for_other_weights(data: Path, tmp_path: Path) -> None:
    import torch

    from tests.training import tiny_data
    from training.cache_patches import Item, _cache, _cache_scenes, _Computer

    items, out = [Item("photo", ["flickr8k/images/1.jpg"], (0, 0, 1, 1))], tmp_path / "maps"
    model, teacher = tiny_data.model().eval(), tiny_data.teacher()

    def computed() -> list[bool]:
        """Fill the files once more, and return which do not have the zeros that were written into them."""
        files = [out / name for name in ("coarse.npy", "teacher.npy", "scenes/coarse.npy")]
        for file in files:
            if file.exists():
                np.save(file, np.zeros_like(np.load(file)))
        computer = _Computer(model, teacher, torch.device("cpu"))
        list(_cache(data, items, computer, out))
        list(_cache_scenes(1, computer, out / "scenes"))
        return [bool(np.load(file).any()) for file in files]

    assert computed() == [True, True, True]
    assert computed() == [False, False, False]
    teacher.linear.bias += 1
    assert computed() == [True, True, False]
    model.trunk.last.norm.bias.data += 1
    assert computed() == [True, True, True]
