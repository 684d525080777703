"""What to tell someone whose question is in a language that the model in use is known to be weak in. Once."""

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from search import Query

__all__ = ["advise"]

TOLD = "told.json"
"""In the library's folder: what its users have been told, so that they hear it once. Nothing is lost with it."""


def advise(library: Path, model: str, query: "Query") -> None:
    """Tells on standard error which model to take instead of `model` for the language of `query`, if need be.

    Called after the answer, which does not wait for it.
    """
    from search.language import detect
    from search.query import Text

    texts = [part.source.text for part in query.wanted if isinstance(part.source, Text)]
    lang = detect(" ".join(texts)) if texts else None
    if lang is None:
        return
    from encoders.recommend import is_known_weak

    if not is_known_weak(model, lang):
        return
    told = _told(library)
    if lang in told.get(model, []):
        return
    advice = _advice(model, lang)
    if advice:
        click.echo(f"sightline: {advice}", err=True)
        _remember(library, {**told, model: [*told.get(model, []), lang]})


def _advice(model: str, lang: str) -> str:
    from encoders.hub import model_folder, read_manifest
    from encoders.licences import commercial_only, in_words, use_of
    from encoders.recommend import is_known_weak, language_name, recommend, this_machine

    better = recommend(lang, this_machine(), commercial=commercial_only()).model
    name = better.name if better else "mini"
    if name == model or is_known_weak(name, lang):
        return ""
    here = better is None or read_manifest(model_folder(name)) is not None
    licence = "" if better is None or use_of(better.licence) == "commercial" else f" ({in_words(better.licence)})"
    way = ("" if here else f"`sightline models pull {name}`, then ") + f"`sightline models use {name}`"
    language = language_name(lang)
    return (
        f"this looks like {language}, in which the model {model} is known to be weak. {name}{licence} is better at it: "
        f"{way}. This is said once for {language} in this library"
    )


def _told(library: Path) -> dict[str, list[str]]:
    try:
        record = json.loads((library / TOLD).read_text(encoding="utf-8"))
        return {str(model): [str(lang) for lang in langs] for model, langs in record.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _remember(library: Path, told: dict[str, list[str]]) -> None:
    draft = library / f"{TOLD}.new"
    with suppress(OSError):  # a library that one may only read says it again
        draft.write_text(json.dumps(told), encoding="utf-8")
        draft.replace(library / TOLD)
