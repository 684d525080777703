"""Words put into sentences, whose vectors are averaged: a prompt ensemble.

Radford et al., "Learning Transferable Visual Models From Natural Language Supervision" (ICML 2021), section 3.1.4:
class names do better within sentences like those of captions. What it does to one's own queries depends on the model
(docs/searching.md has what was measured), so it is off unless asked for.
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
    """`text` within the sentences of a language, the text itself first. Raises `InvalidQuery` for another language."""
    if language is None:
        return [text]
    if language not in TEMPLATES:
        raise InvalidQuery(
            f"there are no sentences in {language!r} to put words into; there are: {', '.join(TEMPLATES)}"
        )
    return [template.replace("{}", text) for template in TEMPLATES[language]]
