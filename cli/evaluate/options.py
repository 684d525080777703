"""The options of `sightline eval`, and their combinations that make no sense."""

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import click

from core.files import absolute
from encoders.placement import Placement
from search.evaluate.evaluation import Direction
from search.evaluate.metrics import parse_metrics
from search.evaluate.scoring import EvaluationSettings
from search.evaluate.text_lists import read_text_list

__all__ = ["EvalOptions", "check_options", "named_files"]


@dataclass(frozen=True)
class EvalOptions:
    """The values of the command line, one field per option."""

    datasets: tuple[Path, ...]
    spaces: tuple[str, ...]
    library: Path | None
    split: str | None
    langs: tuple[str, ...]
    direction: str
    templates: tuple[str, ...]
    metrics: str | None
    indexes: tuple[str, ...]
    depth: int
    format: str | None
    class_names: Path | None
    image_column: str | None
    caption_column: str | None
    pictures: Path | None
    run_files: tuple[str, ...]
    image_vectors: tuple[str, ...]
    text_vectors: tuple[str, ...]
    image_ids: Path | None
    pairs: bool
    captions_per_image: int | None
    query_vectors: tuple[str, ...]
    query_ids: Path | None
    run: Path | None
    qrels: Path | None
    published: tuple[str, ...]
    published_models: tuple[str, ...]
    table: str | None
    html: Path | None
    plots: Path | None
    clip_benchmark: Path | None
    save: Path | None
    baseline: Path | None
    as_json: bool
    placement: Placement

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The directions to measure."""
        directions: tuple[Direction, ...] = get_args(Direction)
        return directions if self.direction == "both" else tuple(d for d in directions if d == self.direction)

    @property
    def settings(self) -> EvaluationSettings:
        """The metrics. Raises `UnknownMetric`."""
        return EvaluationSettings(metrics=parse_metrics(self.metrics)) if self.metrics else EvaluationSettings()

    @property
    def prompts(self) -> tuple[str, ...]:
        """The templates, with those of files in place of their names. Raises `DatasetError` and `click.UsageError`."""
        return tuple(text for template in self.templates for text in _read_templates(template, self.datasets))

    @property
    def reads_qrels(self) -> bool:
        """Whether --qrels is a file to read: with runs made elsewhere."""
        return bool(self.run_files)


def check_options(options: EvalOptions) -> None:
    """Reject invalid options before anything is measured. Raises `click.UsageError` and `UnknownMetric`."""
    _check_sources(options)
    _check_outputs(options)
    for template in options.prompts:
        if "{}" not in template:
            raise click.UsageError(f"The template {template!r} has no {{}} for the caption.")
    if options.query_vectors and options.library is None:
        raise click.UsageError(
            "--query-vectors needs the --library of the imported space. Without a library: --image-vectors and "
            "--text-vectors."
        )
    _ = options.settings


def named_files(arguments: tuple[str, ...]) -> dict[str, Path]:
    """Return the files of arguments `[NAME=]FILE` by name: that before `=`, else the stem of the file.

    Files with the same stem get their whole path as a name. Raises `click.UsageError` for a name that is given twice.
    """
    named = [_split_name(argument) for argument in arguments]
    stems = [name or _stem(path) for name, path in named]
    files: dict[str, Path] = {}
    for stem, (name, path) in zip(stems, named, strict=True):
        key = stem if name or stems.count(stem) == 1 else str(path)
        if key in files:
            raise click.UsageError(f"Two files are named {key}. Name them with NAME=FILE.")
        files[key] = path
    return files


def _read_templates(template: str, datasets: tuple[Path, ...]) -> list[str]:
    """Return the templates in a file, or the template itself. `{c}` of CLIP_benchmark and open_clip is `{}`."""
    texts = [template]
    if "{" not in template and Path(template).is_file():
        if len(datasets) != 1:
            raise click.UsageError("A file of templates needs a single DATASET.")
        texts = read_text_list(Path(template), absolute(datasets[0]).name)
    return [text.replace("{c}", "{}") for text in texts]


def _split_name(argument: str) -> tuple[str, Path]:
    name, equals, file = argument.partition("=")
    return (name, Path(file)) if equals and not Path(argument).exists() else ("", Path(argument))


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").rpartition(".")[0] or path.name


def _check_sources(options: EvalOptions) -> None:
    """Reject systems of several kinds, and data that is missing or given twice."""
    if options.run_files:
        _check_runs(options)
    elif options.image_vectors or options.text_vectors or options.pairs:
        _check_vector_files(options)
    elif not options.datasets:
        raise click.UsageError("Missing argument 'DATASET...'.")
    if options.captions_per_image and not options.pairs:
        raise click.UsageError("--captions-per-image needs --pairs.")
    if options.image_ids and not options.image_vectors:
        raise click.UsageError("--image-ids needs --image-vectors.")


def _check_runs(options: EvalOptions) -> None:
    _refuse(options, "--run-file", ("spaces", "library", "image_vectors", "text_vectors", "indexes", "templates"))
    if options.qrels is None and not options.datasets:
        raise click.UsageError("--run-file needs judgements: --qrels FILE, or a DATASET.")
    if options.direction == "both" or (options.direction == "picture-to-text" and not options.datasets):
        raise click.UsageError("A run has one direction; from picture to text it needs a DATASET.")
    if len(options.datasets) > 1:
        raise click.UsageError("--run-file needs a single DATASET.")


def _check_vector_files(options: EvalOptions) -> None:
    _refuse(options, "--image-vectors", ("spaces", "library", "query_vectors", "templates"))
    if len(options.image_vectors) != len(options.text_vectors) or not options.image_vectors:
        raise click.UsageError("Each --image-vectors needs a --text-vectors, of the same model.")
    if options.pairs and options.datasets:
        raise click.UsageError("--pairs is instead of a DATASET: the captions of picture i follow one another.")
    if len(options.datasets) != (not options.pairs):
        raise click.UsageError("Name one DATASET that lists the captions, or use --pairs.")


def _refuse(options: EvalOptions, kind: str, fields: tuple[str, ...]) -> None:
    for field in fields:
        if getattr(options, field):
            name = {"spaces": "space", "indexes": "index", "templates": "template"}.get(field, field.replace("_", "-"))
            raise click.UsageError(f"{kind} brings its own systems; it cannot be combined with --{name}.")


def _check_outputs(options: EvalOptions) -> None:
    for name, path in [("--run", options.run), ("--qrels", None if options.reads_qrels else options.qrels)]:
        if path and len(options.datasets) > 1:
            raise click.UsageError(f"{name} needs a single data set.")
    if options.run and options.indexes:
        raise click.UsageError("--run needs exact search.")
    several = max(len(options.spaces), len(options.run_files), len(options.image_vectors)) > 1 or options.indexes
    for name, path in [("--save", options.save), ("--baseline", options.baseline)]:
        if path and several:
            raise click.UsageError(f"{name} needs a single space and exact search.")
    if options.published_models and not options.published:
        raise click.UsageError("--published-model needs --published.")
    if options.table and options.as_json:
        raise click.UsageError("--table and --json are two formats of the output; choose one.")
    if options.clip_benchmark and options.indexes:
        raise click.UsageError("--clip-benchmark needs exact search.")
    written = (
        options.clip_benchmark,
        options.run,
        None if options.reads_qrels else options.qrels,
        options.html,
        options.save,
    )
    for path in written:
        if path and not path.parent.is_dir():
            raise click.UsageError(f"Cannot write {path}: Folder {path.parent} not found.")
