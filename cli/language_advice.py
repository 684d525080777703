"""Advice, once per language and library, for queries in a language that the model is known to be weak in."""

import json
from contextlib import suppress
from pathlib import Path

from cli.output import warn
from core.files import write_atomically
from encoders.licences import commercial_only, describe_licence, permitted_use
from encoders.machine import this_machine
from encoders.model_catalog import is_known_weak, language_name, recommend
from search import Query, TextInput
from search.language import detect_language

__all__ = ["advise"]

ADVICE_FILE = "told.json"
"""In the library's folder: the languages for which advice has been given, by model. It may be deleted at any time."""


def advise(library: Path, model: str, query: Query) -> None:
    """Recommend another model on standard error if `model` is known to be weak in the language of `query`.

    Called after the answer, so that it does not wait.
    """
    texts = [part.source.text for part in query.positive_parts if isinstance(part.source, TextInput)]
    lang = detect_language(" ".join(texts)) if texts else None
    if lang is None or not is_known_weak(model, lang):
        return
    given = _read_given(library)
    if lang in given.get(model, []):
        return
    advice = _advice(model, lang)
    if advice:
        warn(advice)
        _write_given(library, {**given, model: [*given.get(model, []), lang]})


def _advice(model: str, lang: str) -> str:
    from encoders.hub import model_folder, read_manifest  # only for a query that leads to advice

    better = recommend(lang, this_machine(), commercial=commercial_only()).model
    name = better.name if better else "mini"
    if name == model or is_known_weak(name, lang):
        return ""
    is_installed = better is None or read_manifest(model_folder(name)) is not None
    licence = (
        ""
        if better is None or permitted_use(better.licence) == "commercial"
        else f" ({describe_licence(better.licence)})"
    )
    pull = "" if is_installed else f"`sightline models pull {name}`, then "
    language = language_name(lang)
    return (
        f"The query seems to be in {language}, in which the model {model} is known to be weak. {name}{licence} is "
        f"better: {pull}`sightline models use {name}`. This advice appears once for {language} in this library."
    )


def _read_given(library: Path) -> dict[str, list[str]]:
    try:
        record = json.loads((library / ADVICE_FILE).read_text(encoding="utf-8"))
        return {str(model): [str(lang) for lang in langs] for model, langs in record.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _write_given(library: Path, given: dict[str, list[str]]) -> None:
    with suppress(OSError):  # in a read-only library, the advice appears every time
        write_atomically(library / ADVICE_FILE, [json.dumps(given).encode()])
