"""`sightline classify`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from cli.options import FilterOptions
from cli.output import print_json, print_text, shown
from cli.query_building import build_filters
from cli.results import FOUND, NOTHING_FOUND
from core.errors import InvalidQuery, NothingIndexed
from core.text_files import encoding_name, iterate_lines
from encoders import registry
from encoders.base import Encoder
from encoders.placement import Placement
from search import Filters
from search.classify import Classification, Classifier, classify_library, classify_pictures
from search.language import detect_language
from search.prompt_templates import TEMPLATES
from store import Library
from store.filters.conditions import And
from store.filters.selection import selected_ids
from store.spaces.registry import StoredSpace, active_space, named_space
from store.tags import Tagging, relabel

__all__ = ["ClassifyArguments", "run_classify"]

DEFAULT_TAG_PROBABILITY = 0.5
"""Lowest probability of a tag by default: the label is more likely than all others together."""

MAX_COUNTED_LABELS = 20
"""Number of labels in the summary at the end."""


@dataclass(frozen=True)
class ClassifyArguments:
    """The values of `sightline classify`."""

    pictures: tuple[Path, ...]
    labels: str
    templates: tuple[str, ...]
    lang: str | None
    add_tags: bool
    min_probability: float | None
    filters: FilterOptions
    library: Path
    space: str | None
    placement: Placement
    as_json: bool


def run_classify(arguments: ClassifyArguments) -> int:
    """Print the best label of each picture, and tag pictures if requested; return the exit code."""
    labels = _read_labels(arguments.labels)
    with Library.open(arguments.library) as library:
        stored = _space(library, arguments.space)
        encoder = registry.load_for_space(stored.space, arguments.placement)
        classifier = Classifier(encoder, labels, arguments.templates, arguments.lang or _language(labels))
        least = _min_probability(arguments, stored, classifier)
        counts = Counter[str]()
        for batch in _results(
            library, stored, encoder, classifier, arguments.pictures, build_filters(arguments.filters)
        ):
            kept = [result for result in batch if result.probability is None or result.probability >= least]
            for result in kept:
                _print_result(result, as_json=arguments.as_json)
            counts.update(result.label for result in kept)
            if arguments.add_tags:
                _tag(library, batch, kept, classifier.labels)
    if not arguments.as_json:
        click.echo(f"{_summary(counts, classifier.labels)}{_tagged(arguments)}", err=True)
    return FOUND if counts else NOTHING_FOUND


def _min_probability(arguments: ClassifyArguments, stored: StoredSpace, classifier: Classifier) -> float:
    if arguments.min_probability is None:
        return DEFAULT_TAG_PROBABILITY if arguments.add_tags and classifier.scale else 0.0
    if classifier.scale is None:
        raise InvalidQuery(f"The model {stored.space.model} has no logit scale, so it gives no probabilities.")
    return arguments.min_probability


def _read_labels(text: str) -> list[str]:
    """Return the lines of the file `text`, or the parts of `text` between commas."""
    try:
        with Path(text).open("rb") as file:
            lines = list(iterate_lines(file))
    except UnicodeDecodeError as exc:
        fault = f"{text} is not {encoding_name(exc.encoding)}; save it as UTF-8, with one label per line"
        raise click.BadParameter(fault, param_hint="--labels") from exc
    except (OSError, ValueError):
        lines = text.split(",")
    return [line.strip() for line in lines if line.strip()]


def _language(labels: Sequence[str]) -> str:
    """Return the language of the labels if there are prompt templates for it, else English."""
    detected = detect_language(", ".join(labels))
    return detected if detected is not None and detected in TEMPLATES else "en"


def _space(library: Library, name: str | None) -> StoredSpace:
    stored = active_space(library) if name is None else named_space(library, name, prefer_active=True)
    if stored is None:
        raise NothingIndexed(library.backend.place)
    return stored


def _results(
    library: Library,
    stored: StoredSpace,
    encoder: Encoder,
    classifier: Classifier,
    pictures: Sequence[Path],
    filters: Filters,
) -> Iterator[list[Classification]]:
    if pictures:
        yield from classify_pictures(library, stored, encoder, classifier, pictures)
        return
    ids = selected_ids(library, stored, filters.condition() or And(()))
    yield from classify_library(library, stored, classifier, ids)


def _print_result(result: Classification, *, as_json: bool) -> None:
    if not as_json:
        score = f"{result.cosines[result.best]:.3f}" if result.probability is None else f"{result.probability:.2f}"
        print_text(f"{score}  {result.label}  {shown(result.paths[0])}")
        return
    record: dict[str, Any] = {
        "path": result.paths[0],
        "id": result.content_id,
        "label": result.label,
        "probability": result.probability,
        "cosines": dict(zip(result.labels, result.cosines.tolist(), strict=True)),
    }
    if result.probabilities is not None:
        record["probabilities"] = dict(zip(result.labels, result.probabilities.tolist(), strict=True))
    print_json(record)


def _tag(
    library: Library, batch: Sequence[Classification], kept: Sequence[Classification], labels: Sequence[str]
) -> None:
    """Replace the tags that a model has given to these pictures, as far as they are among `labels`."""
    ids = [result.content_id for result in batch if result.content_id is not None]
    taggings = [
        Tagging(result.content_id, result.label, result.probability) for result in kept if result.content_id is not None
    ]
    relabel(library, ids, labels, taggings)


def _summary(counts: Counter[str], labels: Sequence[str]) -> str:
    """Return how many pictures have each label; of many labels, the most frequent."""
    if len(labels) <= MAX_COUNTED_LABELS:
        return ", ".join(f"{label} {counts[label]:,}" for label in labels)
    most_common = ", ".join(f"{label} {count:,}" for label, count in counts.most_common(MAX_COUNTED_LABELS))
    ellipsis = ", ..." if len(counts) > MAX_COUNTED_LABELS else ""
    return f"{most_common}{ellipsis} ({len(counts):,} of {len(labels):,} labels)"


def _tagged(arguments: ClassifyArguments) -> str:
    if not arguments.add_tags:
        return ""
    return "; pictures of the library are tagged" if arguments.pictures else "; tagged"
