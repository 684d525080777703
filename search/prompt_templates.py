"""Prompt templates: a text is put into several sentences, whose vectors are averaged.

Radford et al., "Learning Transferable Visual Models From Natural Language Supervision" (ICML 2021), section 3.1.4:
class names work better in sentences like those of captions. The effect on free queries depends on the model
(docs/searching.md has measurements), so templates are off by default.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from core.errors import InvalidQuery

__all__ = ["TEMPLATES", "apply_templates"]

TEMPLATES: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "en": ("{}", "a photo of {}", "a picture of {}", "a photo showing {}", "{} in a photo"),
        "de": ("{}", "ein Foto von {}", "ein Bild von {}", "ein Foto: {}", "{} auf einem Foto"),
        "fr": ("{}", "une photo de {}", "une image de {}", "une photo : {}", "{} sur une photo"),
        "cs": ("{}", "fotka: {}", "obrázek: {}", "fotografie: {}", "{} na fotografii"),
        "zh": ("{}", "一张{}的照片", "{}的图片", "照片：{}", "照片里有{}"),
        "ar": ("{}", "صورة {}", "صورة فيها {}", "صورة تظهر {}", "{} في صورة"),
    }
)
"""By ISO 639-1 code."""


def apply_templates(text: str, language: str | None) -> list[str]:
    """Return `text` in each template of a language, the plain text first; without a language, only the plain text.

    Raises `InvalidQuery` for a language without templates.
    """
    if language is None:
        return [text]
    if language not in TEMPLATES:
        raise InvalidQuery(
            f"There are no prompt templates for the language {language!r}. Choose from: {', '.join(TEMPLATES)}."
        )
    return [template.replace("{}", text) for template in TEMPLATES[language]]
