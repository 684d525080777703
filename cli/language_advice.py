"""Advice, once per language and library, for queries in a language that the model is known to be weak in."""

import json
from contextlib import suppress
from pathlib import Path

from cli.output import warn
from cli.suggestions import command
from core.files import write_atomically
from encoders.languages import language_name
from search import Query, Searcher
from search.language_advice import LanguageAdvice, advise, query_language

__all__ = ["warn_of_weak_language"]

ADVICE_FILE = "told.json"
"""In the library's folder: the languages for which advice has been given, by model. It may be deleted at any time."""


def warn_of_weak_language(library: Path, searcher: Searcher, query: Query) -> None:
    """Recommend another model on standard error if the searcher's is known to be weak in the language of `query`.

    Called after the answer, so that it does not wait.
    """
    language = query_language(query)
    advice = None if language is None else advise(searcher.encoder, language)
    if advice is None:
        return
    given, model = _read_given(library), searcher.encoder.space.model
    if advice.language in given.get(model, []):
        return
    warn(f"{advice.message} {_commands(advice)}")
    _write_given(library, {**given, model: [*given.get(model, []), advice.language]})


def _commands(advice: LanguageAdvice) -> str:
    pull = "" if advice.state == "installed" else f"`sightline models pull {advice.better}`, then "
    return (
        f"To change to it: {pull}{command(f'models use {advice.better}')}. This advice appears once for "
        f"{language_name(advice.language)} in this library."
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
