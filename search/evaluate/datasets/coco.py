"""COCO captions: one JSON file, {"images": [{"id", "file_name"}], "annotations": [{"id", "image_id", "caption"}]}.

The split is what the file's name says after `captions_`, as in `captions_val2017.json`. English.
"""

from pathlib import Path

from core.errors import DatasetError
from search.evaluate.datasets.collect import Contents, Options, picture_root
from search.evaluate.text_records import Source, objects_of, read_json, text_of

__all__ = ["read", "recognises"]


def recognises(path: Path) -> bool:
    """Whether `path` is such a file."""
    if not path.is_file() or path.suffix != ".json":
        return False
    content = read_json(path)
    return isinstance(content, dict) and "images" in content and "annotations" in content


def read(path: Path, options: Options) -> Contents:
    """All captions in the file; pictures without one stay among those to search."""
    content = read_json(path)
    pictures = objects_of(content, "images", Source(path))
    if not pictures:
        raise DatasetError(path, "there are no pictures")
    split = path.stem.removeprefix("captions_")
    contents = Contents(path, picture_root(options, _folders(path, split), text_of(*pictures[0], "file_name")))
    names: dict[object, str] = {}
    for source, record in pictures:
        if record.get("id") in names:
            raise source.wrong(f"the picture {record.get('id')!r} is there twice")
        names[record.get("id")] = contents.add_picture(text_of(source, record, "file_name"), split, source)
    for source, record in objects_of(content, "annotations", Source(path)):
        image = names.get(record.get("image_id"))
        if image is None:
            raise source.wrong(
                f"the caption {record.get('id')!r} is of {record.get('image_id')!r}, which is no picture"
            )
        contents.add_caption(image, text_of(source, record, "caption"), "en", source, str(record.get("id", "")) or None)
    return contents


def _folders(path: Path, split: str) -> list[Path]:
    """Where pictures usually are: val2017/ beside annotations/ or beside the file."""
    near = (path.parent, path.parent.parent)
    return [*(folder / name for folder in near for name in (split, "images")), path.parent]
