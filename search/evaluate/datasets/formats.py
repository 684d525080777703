"""Which format a data set is in, and opening it whatever it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import DatasetError
from search.evaluate.datasets import (
    class_folders,
    coco,
    crossmodal,
    flickr_tokens,
    json_lines,
    karpathy,
    trec_files,
)
from search.evaluate.datasets.base import Dataset
from search.evaluate.datasets.collect import Contents, Options

__all__ = ["FORMATS", "open_dataset"]


@dataclass(frozen=True)
class Format:
    """One way to write a data set down: whether a path holds one, and reading it."""

    recognises: Callable[[Path], bool]
    read: Callable[[Path, Options], Contents]


FORMATS: Mapping[str, Format] = {
    "crossmodal-3600": Format(crossmodal.recognises, crossmodal.read),
    "jsonl": Format(json_lines.recognises, json_lines.read),
    "flickr": Format(flickr_tokens.recognises, flickr_tokens.read),
    "karpathy": Format(karpathy.recognises, karpathy.read),
    "coco": Format(coco.recognises, coco.read),
    "trec": Format(trec_files.recognises, trec_files.read),
    "classes": Format(class_folders.recognises, class_folders.read),
}
"""By name, in the order they are tried."""


def open_dataset(
    path: Path | str,
    split: str | None = None,
    *,
    format: str | None = None,  # noqa: A002 (the word everyone uses)
    root: Path | str | None = None,
    template: str = Options.template,
    check_files: bool = True,
) -> Dataset:
    """The data set at `path`, a file or a folder; its format is recognised unless `format` names it.

    `split` must be named when there are several (`all` takes everything). `root` is the folder that pictures are
    relative to, if it is not where the format says. `template` makes queries of classes. Without `check_files`
    pictures need not be there, for vectors made elsewhere. Raises `DatasetError` and the errors below it.
    """
    path = Path(path).expanduser().absolute()
    if not path.exists():
        raise DatasetError(path, "there is no such file or folder")
    chosen = _recognised(path) if format is None else FORMATS.get(format)
    if chosen is None:
        raise DatasetError(path, f"no format is called {format!r}; there are: {', '.join(FORMATS)}")
    options = Options(None if root is None else Path(root).expanduser().absolute(), template)
    contents = chosen.read(path, options)
    return contents.dataset(_name(path), split, check_files)


def _recognised(path: Path) -> Format:
    for candidate in FORMATS.values():
        if candidate.recognises(path):
            return candidate
    raise DatasetError(path, f"this is no data set in any format known: {', '.join(FORMATS)}")


def _name(path: Path) -> str:
    """Of the folder, or of the file if it says more than `captions`."""
    stem = path.name.split(".")[0]
    return path.name if path.is_dir() else path.parent.name if stem == "captions" else stem
