"""`sightline classify`: which of some labels each picture shows."""

from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import filter_options, filters, json_option, library_option, placement_options, space_option

if TYPE_CHECKING:
    from encoders.base import Encoder
    from encoders.placement import Placement
    from search import Filters
    from search.classify import Classified, Classifier
    from store import Library
    from store.spaces.registry import StoredSpace

__all__ = ["classify"]

TAGGED = 0.5
"""Lowest probability of a tag unless another is said: more likely than all other labels together."""

COUNTED = 20
"""Most labels of which it is said at the end how many pictures have them."""


@click.command(
    epilog="""\b
Examples:
  sightline classify --labels "dog,cat,a person"             all pictures
  sightline classify --labels labels.txt ./a.jpg ./b.jpg     one label a line
  sightline classify --labels Hund,Katze --template "ein Foto von einem {}"
  sightline classify --labels beach,city,forest --add-tags   find: tag:beach
  sightline classify --labels beach,city --json | jq .label

Probabilities are those of the model (its logit scale), and among these labels alone: one of them always wins, so
name what else there may be. A model without a logit scale, as the built-in one, only says which label fits best.
"""
)
@click.argument("pictures", nargs=-1, type=click.Path(path_type=Path))
@click.option("--labels", required=True, metavar="FILE|A,B,C", help="Two or more, in a file one a line or by commas.")
@click.option("--template", "templates", multiple=True, help="A sentence with {} for the label; repeatable, averaged.")
@click.option("--lang", metavar="CODE", help="Language of the labels  [default: detected, else en]")
@click.option("--add-tags", "adding", is_flag=True, help="Store the best label of each picture as a tag of it.")
@click.option(
    "--min-probability",
    type=click.FloatRange(0, 1),
    help=f"Only pictures whose best label reaches this  [default: {TAGGED} with --add-tags]",
)
@filter_options
@library_option
@space_option
@placement_options
@json_option
@click.pass_context
def classify(
    ctx: click.Context,
    /,
    pictures: tuple[Path, ...],
    labels: str,
    templates: tuple[str, ...],
    lang: str | None,
    adding: bool,
    min_probability: float | None,
    within: tuple[Path, ...],
    after: str | None,
    before: str | None,
    library: Path,
    space: str | None,
    placement: "Placement",
    as_json: bool,
) -> None:
    """Classify the pictures of the library, or PICTURES, by labels that nobody trained the model for."""
    from cli.output import say_waiting
    from core.errors import InvalidQuery
    from search.active_space import encoder_of
    from search.classify import Classifier
    from store import Library

    names = _labels(labels)
    with Library.open(library) as opened:
        stored = _space(opened, space)
        encoder = encoder_of(stored, placement)
        classifier = Classifier(encoder, names, templates, lang or _language(names))
        if classifier.scale is None and min_probability is not None:
            raise InvalidQuery(f"the model {stored.space.model} has no logit scale, so that nothing has a probability")
        least = min_probability if min_probability is not None else TAGGED if adding and classifier.scale else 0.0
        results = _results(opened, stored, encoder, classifier, pictures, filters(within, after, before))
        counts = Counter[str]()
        with opened.writer_lock(say_waiting) if adding else nullcontext():
            for batch in results:
                kept = [each for each in batch if each.probability is None or each.probability >= least]
                for each in kept:
                    _print(each, as_json=as_json)
                counts.update(each.label for each in kept)
                if adding:
                    _tag(opened, batch, kept, classifier.labels)
    if not as_json:
        click.echo(f"{_counted(counts, classifier.labels)}{_tagged(adding, pictures)}", err=True)
    ctx.exit(0 if counts else 1)


def _labels(text: str) -> list[str]:
    """The lines of a file of that name, else what stands between commas."""
    try:
        lines = Path(text).read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as exc:
        raise click.BadParameter(f"{text} is no text in UTF-8", param_hint="--labels") from exc
    except (OSError, ValueError):
        lines = text.split(",")
    return [line.strip() for line in lines if line.strip()]


def _language(labels: list[str]) -> str:
    """That of the labels, where there are sentences in it."""
    from search.language import detect
    from search.prompt_templates import TEMPLATES

    detected = detect(", ".join(labels))
    return detected if detected is not None and detected in TEMPLATES else "en"


def _space(library: "Library", name: str | None) -> "StoredSpace":
    from core.errors import InvalidQuery
    from store.spaces.registry import active_space, named_space

    stored = active_space(library) if name is None else named_space(library, name)
    if stored is None:
        raise InvalidQuery(f"nothing is indexed in {library.path} yet; `sightline index FOLDER` does that")
    return stored


def _results(
    library: "Library",
    stored: "StoredSpace",
    encoder: "Encoder",
    classifier: "Classifier",
    pictures: tuple[Path, ...],
    narrowed: "Filters",
) -> "Iterator[list[Classified]]":
    from search.classify import classify_library, classify_pictures
    from store.filters.selection import selected_ids

    if pictures:
        yield from classify_pictures(library, stored, encoder, classifier, pictures)
        return
    with library.read() as connection:
        ids = selected_ids(connection, stored, narrowed.selection(connection))
    yield from classify_library(library, stored, classifier, ids)


def _print(result: "Classified", *, as_json: bool) -> None:
    from cli.output import print_json, print_text, shown

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


def _tag(library: "Library", batch: "list[Classified]", kept: "list[Classified]", labels: tuple[str, ...]) -> None:
    """What was said of these labels before is forgotten first; what other labels were, stays."""
    from store.catalog.annotations import TagSource
    from store.tags import Tagging, add_tags, remove_tags

    known = [each.content_id for each in batch if each.content_id is not None]
    taggings = [Tagging(each.content_id, each.label, each.probability) for each in kept if each.content_id is not None]
    with library.write() as connection:
        remove_tags(connection, known, labels, TagSource.MODEL)
        add_tags(connection, taggings, TagSource.MODEL)


def _counted(counts: Counter[str], labels: tuple[str, ...]) -> str:
    """How many pictures have which label: of many labels, the most frequent."""
    if len(labels) <= COUNTED:
        return ", ".join(f"{label} {counts[label]:,}" for label in labels)
    said = ", ".join(f"{label} {count:,}" for label, count in counts.most_common(COUNTED))
    return f"{said}{', ...' if len(counts) > COUNTED else ''} ({len(counts):,} of {len(labels):,} labels)"


def _tagged(adding: bool, pictures: tuple[Path, ...]) -> str:
    if not adding:
        return ""
    return "; those that the library has are tagged" if pictures else "; tagged"
