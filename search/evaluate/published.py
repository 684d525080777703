"""Published results of other models: tables of CLIP_benchmark and OpenCLIP, which the user has downloaded.

They are numbers, not runs: there are no values per query, so they have no intervals and cannot be tested. Layouts:

- CLIP_benchmark's `benchmark.csv` (https://github.com/LAION-AI/CLIP_benchmark, written by its command `build`): a row
  for each model and data set, with the columns `dataset`, `model`, `pretrained`, `task`, perhaps `language`, and
  metrics such as `acc1` and `image_retrieval_recall@5`. Also the JSON files that its command `eval` writes.
- OpenCLIP's `openclip_retrieval_results.csv` and `openclip_multilingual_retrieval_results.csv`
  (https://github.com/mlfoundations/open_clip, docs): a row for each model, with a column for each data set, metric and
  language, such as `Flickr image retr. R@5` or `crossmodal3600 image_retrieval_recall@1 de`.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import DatasetError
from search.evaluate.evaluation import Direction
from search.evaluate.text_files import FilePosition, read_json, read_lines

__all__ = ["PublishedResult", "datasets_of", "read_published", "results_for"]

_METRICS: Mapping[str, tuple[Direction, str]] = {
    "image_retrieval_recall": ("text-to-picture", "recall"),
    "text_retrieval_recall": ("picture-to-text", "recall"),
}
_ACCURACIES: Mapping[str, str] = {"acc1": "recall@1", "acc5": "recall@5"}
_RECALL = re.compile(r"((?:image|text)_retrieval_recall)@(\d+)")
_WIDE = re.compile(r"(\S+) ((?:image|text)_retrieval_recall@\d+) (\w+)")
_SHORT = re.compile(r"(Flickr|MSCOCO) (image|text) retr\. (?:R|recall)@(\d+)")
_SHORT_DATASETS = {"Flickr": "flickr30k", "MSCOCO": "mscoco_captions"}

_LANGUAGES = {"cn": "zh", "jp": "ja"}
"""Codes of CLIP_benchmark that are not those of ISO 639-1."""
DEFAULT_LANGUAGE = "en"
"""The language of results without one: CLIP_benchmark's default."""


_LAYOUTS = "CLIP_benchmark's benchmark.csv and its JSON files can be read, and OpenCLIP's tables of retrieval results"


@dataclass(frozen=True)
class PublishedResult:
    """The numbers of one model on one data set, in one language and direction."""

    dataset: str
    model: str
    """The model and its weights, as in `ViT-B-32 openai`."""
    language: str
    direction: Direction
    scores: Mapping[str, float]
    """Metric (`recall@5`) -> value from 0 to 1."""
    source: str
    """The name of the file."""


def read_published(path: Path) -> list[PublishedResult]:
    """Read a file of results. Results that are listed twice keep the first numbers.

    Raises `DatasetError` for a file in another layout, and for numbers that are not shares from 0 to 1.
    """
    rows = list(_json_rows(path) if path.name.endswith((".json", ".json.gz")) else _csv_rows(path))
    results: dict[tuple[str, str, str, Direction], dict[str, float]] = {}
    for position, row in rows:
        model = _model(position, row)
        for dataset, language, column, text in _cells(row):
            direction, metric = _metric(column)
            value = _share(position, column, text)
            if value is not None:
                key = (dataset, model, _LANGUAGES.get(language, language), direction)
                results.setdefault(key, {}).setdefault(metric, value)
    if not results:
        raise DatasetError(path, f"no results were found. {_LAYOUTS}")
    return [PublishedResult(*key, scores, path.name) for key, scores in results.items()]


def datasets_of(results: Iterable[PublishedResult]) -> list[str]:
    """Return the names of the data sets, in alphabetical order."""
    return sorted({result.dataset for result in results})


def results_for(results: Sequence[PublishedResult], dataset: str) -> list[PublishedResult]:
    """Return the results on a data set, whose name may be written in another way (`Flickr30k`, `vtab/pets`)."""
    wanted = _plain(dataset)
    return [each for each in results if wanted in (_plain(each.dataset), _plain(each.dataset.rpartition("/")[2]))]


_Row = tuple[FilePosition, Mapping[str, object]]


def _csv_rows(path: Path) -> Iterator[_Row]:
    lines = list(read_lines(path))
    rows = csv.reader(line for _, line in lines)
    try:
        head = [name.strip() for name in next(rows)]
    except csv.Error as exc:
        raise lines[0][0].error(f"not a row of CSV: {exc}") from exc
    if not {"model", "name"}.intersection(head):
        raise lines[0][0].error(
            f"the name of the model is missing: a column 'model' or 'name' was expected. {_LAYOUTS}"
        )
    for position, _ in lines[1:]:
        try:
            row = next(rows, None)
        except csv.Error as exc:
            raise position.error(f"not a row of CSV: {exc}") from exc
        if row is None:  # a row above has several lines
            return
        if len(row) != len(head):
            raise position.error(f"{len(row)} columns, but the first line names {len(head)}")
        yield position, dict(zip(head, row, strict=True))


def _json_rows(path: Path) -> Iterator[_Row]:
    content = read_json(path)
    records = content if isinstance(content, list) else [content]
    for number, record in enumerate(records):
        position = FilePosition(path, place=f"record {number + 1}" if len(records) > 1 else "")
        metrics = record.get("metrics") if isinstance(record, dict) else None
        if not isinstance(record, dict) or not isinstance(metrics, dict):
            raise position.error("an object with 'dataset', 'model' and 'metrics' was expected")
        yield position, {**record, **metrics}


def _model(position: FilePosition, row: Mapping[str, object]) -> str:
    """Return the names of the model and of its weights."""
    names = [row.get(key) for key in ("model", "name")], [row.get(key) for key in ("pretrained", "version")]
    model, weights = (next((str(name) for name in found if name), "") for found in names)
    if not model:
        raise position.error("the name of the model is missing: a column 'model' or 'name' was expected")
    return f"{model} {weights}".strip()


def _cells(row: Mapping[str, object]) -> Iterator[tuple[str, str, str, object]]:
    """Yield data set, language, metric and value of each result in a row."""
    dataset, language = str(row.get("dataset") or ""), str(row.get("language") or DEFAULT_LANGUAGE)
    for column, value in row.items():
        if dataset and (column in _ACCURACIES or _RECALL.fullmatch(column)):
            yield dataset, language, column, value
        elif (match := _WIDE.fullmatch(column)) and match[3] != "avg":
            yield match[1], match[3], match[2], value
        elif match := _SHORT.fullmatch(column):
            yield _SHORT_DATASETS[match[1]], DEFAULT_LANGUAGE, f"{match[2]}_retrieval_recall@{match[3]}", value


def _metric(column: str) -> tuple[Direction, str]:
    """Return the direction and the metric of a column."""
    if column in _ACCURACIES:
        return "picture-to-text", _ACCURACIES[column]
    match = _RECALL.fullmatch(column)
    assert match is not None  # `_cells` yields no others
    direction, family = _METRICS[match[1]]
    return direction, f"{family}@{match[2]}"


def _share(position: FilePosition, column: str, value: object) -> float | None:
    """Return a value from 0 to 1; None if there is none."""
    if value is None or (isinstance(value, str) and value.strip().lower() in ("", "nan", "none", "null")):
        return None
    try:
        number = float(str(value))
    except ValueError:
        raise position.error(f"{column} is {value!r}, but a number was expected") from None
    if number != number:
        return None
    if not 0 <= number <= 1:
        raise position.error(f"{column} is {number:g}, but a share from 0 to 1 was expected; divide percentages by 100")
    return number


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())
