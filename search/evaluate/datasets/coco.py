"""COCO captions: one JSON file, {"images": [{"id", "file_name"}], "annotations": [{"id", "image_id", "caption"}]}.

The split is the part of the file name after `captions_`, as in `captions_val2017.json`. The language is English.
"""

from pathlib import Path

from core.errors import DatasetError
from search.evaluate.datasets.base import DatasetBuilder, DatasetFormat, ReadOptions, image_root
from search.evaluate.text_files import FilePosition, name_of, objects_of, read_json, text_of

__all__ = ["FORMAT"]


def _recognises(path: Path) -> bool:
    if not path.is_file() or path.suffix != ".json":
        return False
    content = read_json(path)
    return isinstance(content, dict) and "images" in content and "annotations" in content


def _read(path: Path, options: ReadOptions) -> DatasetBuilder:
    """Read all captions. Images without a caption remain candidates."""
    content = read_json(path)
    images = objects_of(content, "images", FilePosition(path))
    if not images:
        raise DatasetError(path, "no images")
    split = path.stem.removeprefix("captions_")
    builder = DatasetBuilder(path, image_root(options, _candidate_roots(path, split), text_of(*images[0], "file_name")))
    names: dict[object, str] = {}
    for position, record in images:
        if record.get("id") in names:
            raise position.error(f"duplicate image id {record.get('id')!r}")
        names[record.get("id")] = builder.add_image(text_of(position, record, "file_name"), split, position)
    for position, record in objects_of(content, "annotations", FilePosition(path)):
        image = names.get(record.get("image_id"))
        if image is None:
            raise position.error(
                f"the caption {record.get('id')!r} has the unknown image_id {record.get('image_id')!r}"
            )
        caption_id = name_of(position, record, "id") if record.get("id") is not None else ""
        builder.add_caption(image, text_of(position, record, "caption"), "en", position, caption_id or None)
    return builder


def _candidate_roots(path: Path, split: str) -> list[Path]:
    """Return the usual places for images: `val2017/` next to `annotations/` or next to the file."""
    parents = (path.parent, path.parent.parent)
    return [*(folder / name for folder in parents for name in (split, "images")), path.parent]


FORMAT = DatasetFormat(_recognises, _read)
