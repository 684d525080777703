"""Advice for queries in a language that the model is known to be weak in: a better model, installed or to download."""

from dataclasses import dataclass
from typing import Literal

from core.notices import Notice
from encoders import registry
from encoders.base import Encoder
from encoders.languages import language_name
from encoders.licences import commercial_only, describe_licence, permitted_use
from encoders.machine import this_machine
from encoders.model_catalog import is_known_weak, recommend
from search.language import detect_language
from search.query import Query, TextInput

__all__ = ["LanguageAdvice", "advise", "query_language"]


@dataclass(frozen=True)
class LanguageAdvice:
    """A model that is better in the language of a query."""

    language: str
    """ISO 639-1."""
    model: str
    """The title of the model that answered."""
    better: str
    """The name of the better model."""
    title: str
    """Its title, which tells versions apart."""
    state: Literal["installed", "available"]
    """`available` models have to be downloaded first."""
    licence: str = ""
    """The licence of its weights; empty for an installed version of the same model."""

    @property
    def message(self) -> str:
        """The advice without the commands of the terminal."""
        is_free = not self.licence or permitted_use(self.licence) == "commercial"
        return (
            f"The query seems to be in {language_name(self.language)}, in which the model {self.model} is known to be "
            f"weak. {self.title}{'' if is_free else f' ({describe_licence(self.licence)})'} is better and {self.state}."
        )

    @property
    def notice(self) -> Notice:
        """The advice as a notice."""
        data = {"language": self.language, "model": self.model, "better": self.better, "title": self.title}
        use = permitted_use(self.licence) if self.licence else "commercial"
        return Notice(f"weak_language_{self.state}", self.message, {**data, "licence": self.licence, "use": use})


def query_language(query: Query) -> str | None:
    """Return the ISO 639-1 code of the language of the texts of a query; None if it is uncertain, or without a text."""
    texts = [part.source.text for part in query.positive_parts if isinstance(part.source, TextInput)]
    return detect_language(" ".join(texts)) if texts else None


def advise(encoder: Encoder, language: str) -> LanguageAdvice | None:
    """Return advice if `encoder` is known to be weak in `language`, and another model to be better."""
    if not _is_weak(encoder, language):
        return None
    return _newer_version(encoder, language) or _recommended(encoder, language)


def _is_weak(encoder: Encoder, language: str) -> bool:
    """Return whether a model is known to be weak in a language; versions of a model can differ in this."""
    if encoder.languages is None:
        return is_known_weak(encoder.space.model, language)
    return language not in encoder.languages


def _newer_version(encoder: Encoder, language: str) -> LanguageAdvice | None:
    """Recommend the installed newer version of the model, if there is one that is better."""
    newer = registry.newer_version(encoder.space)
    if newer is None or _is_weak(newer, language):
        return None
    space = newer.space
    return LanguageAdvice(language, encoder.space.title, space.model, space.title, "installed")


def _recommended(encoder: Encoder, language: str) -> LanguageAdvice | None:
    """Recommend the model of the catalog, or the built-in one, unless it is weak, too."""
    from encoders.hub import model_folder, read_manifest  # only for a query that leads to advice

    better = recommend(language, this_machine(), commercial=commercial_only()).model
    name = better.name if better else registry.DEFAULT_MODEL
    if name == encoder.space.model or is_known_weak(name, language):
        return None
    is_installed = better is None or read_manifest(model_folder(name)) is not None
    state: Literal["installed", "available"] = "installed" if is_installed else "available"
    licence = "" if better is None else better.licence
    return LanguageAdvice(language, encoder.space.title, name, name, state, licence)
