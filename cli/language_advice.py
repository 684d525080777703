"""Advice, once per language and library, for queries in a language that the model is known to be weak in."""

import json
from contextlib import suppress
from pathlib import Path

from cli.output import warn
from core.files import write_atomically
from encoders import registry
from encoders.base import Encoder
from encoders.licences import commercial_only, describe_licence, permitted_use
from encoders.machine import this_machine
from encoders.model_catalog import is_known_weak, language_name, recommend
from search import Query, Searcher, TextInput
from search.language import detect_language

__all__ = ["advise"]

ADVICE_FILE = "told.json"
"""In the library's folder: the languages for which advice has been given, by model. It may be deleted at any time."""


def advise(library: Path, searcher: Searcher, query: Query) -> None:
    """Recommend another model on standard error if the searcher's is known to be weak in the language of `query`.

    Called after the answer, so that it does not wait.
    """
    texts = [part.source.text for part in query.positive_parts if isinstance(part.source, TextInput)]
    lang = detect_language(" ".join(texts)) if texts else None
    if lang is None or not _is_weak(searcher.encoder, lang):
        return
    given, model = _read_given(library), searcher.encoder.space.model
    if lang in given.get(model, []):
        return
    advice = _advice(searcher.encoder, lang)
    if advice:
        warn(advice)
        _write_given(library, {**given, model: [*given.get(model, []), lang]})


def _is_weak(encoder: Encoder, lang: str) -> bool:
    """Return whether a model is known to be weak in `lang`; versions of a model can differ in this."""
    return is_known_weak(encoder.space.model, lang) if encoder.languages is None else lang not in encoder.languages


def _advice(encoder: Encoder, lang: str) -> str:
    better = _newer_version(encoder, lang) or _recommended(encoder.space.model, lang)
    language = language_name(lang)
    return better and (
        f"The query seems to be in {language}, in which the model {encoder.space.title} is known to be weak. {better}. "
        f"This advice appears once for {language} in this library."
    )


def _newer_version(encoder: Encoder, lang: str) -> str:
    """Return a sentence about the installed newer version of the model; empty if there is none that is better."""
    newer = registry.newer_version(encoder.space)
    if newer is None or _is_weak(newer, lang):
        return ""
    return f"{newer.space.title} is better and installed: `sightline models use {newer.space.model}`"


def _recommended(model: str, lang: str) -> str:
    """Return a sentence about the model to recommend for a language; empty if it is `model` or weak, too."""
    from encoders.hub import model_folder, read_manifest  # only for a query that leads to advice

    better = recommend(lang, this_machine(), commercial=commercial_only()).model
    name = better.name if better else registry.DEFAULT_MODEL
    if name == model or is_known_weak(name, lang):
        return ""
    is_installed = better is None or read_manifest(model_folder(name)) is not None
    licence = (
        ""
        if better is None or permitted_use(better.licence) == "commercial"
        else f" ({describe_licence(better.licence)})"
    )
    pull = "" if is_installed else f"`sightline models pull {name}`, then "
    return f"{name}{licence} is better: {pull}`sightline models use {name}`"


def _read_given(library: Path) -> dict[str, list[str]]:
    try:
        record = json.loads((library / ADVICE_FILE).read_text(encoding="utf-8"))
        return {str(model): [str(lang) for lang in langs] for model, langs in record.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _write_given(library: Path, given: dict[str, list[str]]) -> None:
    with suppress(OSError):  # in a read-only library, the advice appears every time
        write_atomically(library / ADVICE_FILE, [json.dumps(given).encode()])
