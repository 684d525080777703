"""The table of data set formats, and opening a data set in any of them."""

from pathlib import Path

from core.errors import DatasetError
from core.files import absolute
from core.plugins import PluginTable
from search.evaluate.datasets.base import Dataset, DatasetFormat, ReadOptions

__all__ = ["FORMATS", "open_dataset"]

FORMATS: PluginTable[DatasetFormat] = PluginTable(
    "sightline.dataset_formats",
    {
        "crossmodal-3600": "search.evaluate.datasets.crossmodal:FORMAT",
        "jsonl": "search.evaluate.datasets.json_lines:FORMAT",
        "csv": "search.evaluate.datasets.csv_table:FORMAT",
        "parquet": "search.evaluate.datasets.parquet_table:FORMAT",
        "flickr": "search.evaluate.datasets.flickr_tokens:FORMAT",
        "karpathy": "search.evaluate.datasets.karpathy:FORMAT",
        "coco": "search.evaluate.datasets.coco:FORMAT",
        "trec": "search.evaluate.datasets.trec_files:FORMAT",
        "caption-files": "search.evaluate.datasets.caption_files:FORMAT",
        "classes": "search.evaluate.datasets.class_folders:FORMAT",
    },
    accepts=lambda loaded: isinstance(loaded, DatasetFormat),
)
"""Formats by name, in the order in which they are tried. Plug-ins are used only when they are named."""


def open_dataset(
    path: Path | str,
    split: str | None = None,
    *,
    format: str | None = None,  # noqa: A002 (the usual word)
    root: Path | str | None = None,
    template: str = ReadOptions.template,
    class_names: Path | str | None = None,
    image_column: str | None = None,
    caption_column: str | None = None,
    check_files: bool = True,
) -> Dataset:
    """Open the data set at `path`, a file or a folder.

    `split` must be given when there are several (`all` takes everything). `format` is recognised unless it is given;
    formats that other packages add must be given. `root` is the folder that image paths are relative to, if it is not
    where the format says. `template` turns classes into queries, and `class_names` is a file with their
    names. `image_column` and `caption_column` name columns of a table. With `check_files=False` the images need not
    exist, for vectors made elsewhere. Raises `DatasetError` and its subclasses, and `PluginError`.
    """
    path = absolute(path)
    if not path.exists():
        raise DatasetError(path, "no such file or folder")
    if format is None and (image_column or caption_column):
        format = "parquet" if path.suffix in (".parquet", ".pq") else "csv"  # noqa: A001 (a table in any case)
    chosen = _recognise(path) if format is None else FORMATS.get(format)
    if chosen is None:
        raise DatasetError(path, f"Unknown format {format!r}. Choose from: {', '.join(FORMATS.names())}.")
    names = None if class_names is None else absolute(class_names)
    options = ReadOptions(None if root is None else absolute(root), template, names, image_column, caption_column)
    return chosen.read(path, options).build(_dataset_name(path), split, check_files)


def _recognise(path: Path) -> DatasetFormat:
    for name in FORMATS.built_in():
        candidate = FORMATS.get(name)
        if candidate is not None and candidate.recognises(path):
            return candidate
    raise DatasetError(path, f"not a data set in a known format: {', '.join(FORMATS.built_in())}")


def _dataset_name(path: Path) -> str:
    """Return the name of the folder, or of the file unless it is only called `captions`."""
    stem = path.name.split(".")[0]
    return path.name if path.is_dir() else path.parent.name if stem == "captions" else stem
