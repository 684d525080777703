"""One small grammar per language: noun phrases, places, times, and how a caption is put together."""

from examples.scenes.grammar import ar, cs, de, en, fr, zh
from examples.scenes.grammar.phrase import Language, Noun, Place

__all__ = ["LANGUAGES", "Language", "Noun", "Place"]

LANGUAGES: dict[str, Language] = {
    language.code: language
    for language in (en.LANGUAGE, zh.LANGUAGE, de.LANGUAGE, fr.LANGUAGE, cs.LANGUAGE, ar.LANGUAGE)
}
