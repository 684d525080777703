"""Models worth knowing, with what others have published of them. No number here is ours, and none is without a source.

Parameters are those of the architectures as open_clip and transformers build them; a download is about 4 bytes each.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

__all__ = ["FLICKR30K", "RECOMMENDED", "XM3600", "Measure", "Recommended", "best_score", "is_weak"]

WEAK = 0.75
"""A model is called weak in a language when it reaches less than this part of the best published score there."""


@dataclass(frozen=True)
class Measure:
    """What a published score is, and who published it."""

    what: str
    source: str
    languages: tuple[str, ...]
    """Languages whose tables were read; a model that is not in one of them is taken to do badly there."""


XM3600 = Measure(
    "text to picture on Crossmodal-3600: mean of Recall@1, @5 and @10, in %",
    "Immich, docs/docs/features/searching.md (github.com/immich-app/immich); also memory and time: float32, 7800X3D",
    ("en", "zh", "de", "fr", "cs", "ar", "hi", "bn"),
)
FLICKR30K = Measure(
    "text to picture on Flickr30K: Recall@1, in %",
    "FlagAI, examples/AltCLIP/README.md (github.com/FlagAI-Open/FlagAI); Chen et al., arXiv:2211.06679",
    ("en", "zh"),
)


@dataclass(frozen=True)
class Recommended:
    """A model and what is known of it. Memory in MiB and milliseconds a picture are those of its measure's source."""

    name: str
    summary: str
    repository: str
    licence: str
    """As an SPDX identifier where there is one; `unknown` where its authors state none."""
    parameters: float | None = None
    """Millions."""
    dim: int | None = None
    size: int | None = None
    """Side of the square picture that it sees, in pixels."""
    memory: int | None = None
    milliseconds: float | None = None
    measure: Measure | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    """By ISO 639-1 code."""
    spoken: tuple[str, ...] = ()
    """Languages that its authors name, beyond those with a score."""
    more_languages: str = ""
    breadth: int = 1
    """About how many languages it reads."""
    note: str = ""
    is_open_clip: bool = True
    task: str = "encoder"

    @property
    def download(self) -> int | None:
        """About how many bytes its weights are, in float32; None where nobody says."""
        return None if self.parameters is None else round(self.parameters * 4e6)

    @property
    def languages(self) -> tuple[str, ...]:
        """Those in which it has a published score and is not weak, the best first; then those its authors name."""
        strong = [lang for lang in self.scores if not is_weak(self, lang)]
        best_first = sorted(strong, key=lambda lang: -self.scores[lang])
        return (*best_first, *(lang for lang in self.spoken if lang not in self.scores))


XLM_R = ("about 100: those of XLM-R", 100)
SIGLIP2 = ("many, but weak in those with few texts", 50)
NLLB = ("about 200: those of NLLB", 200)
ALT = "some of its cards state creativeml-openrail-m, others nothing"


def _clip(
    name: str, summary: str, repository: str, licence: str, facts: tuple[float, int, int, int, float],
    more: tuple[str, int] = ("", 1), **scores: float,
) -> Recommended:  # fmt: skip
    """A model of open_clip; `facts` are millions of parameters, dimension, side, memory, milliseconds."""
    parameters, dim, size, memory, milliseconds = facts
    return Recommended(
        name, summary, repository, licence, parameters, dim, size, memory, milliseconds, XM3600,
        MappingProxyType(scores), more_languages=more[0], breadth=more[1],
    )  # fmt: skip


def _alt(
    name: str, languages: str, spoken: tuple[str, ...], parameters: float | None = None, **scores: float
) -> Recommended:
    """An AltCLIP; those of which parameters are known see through OpenAI's ViT-L-14."""
    summary = f"AltCLIP: {languages}, an XLM-R for the texts"
    dim, size = (768, 224) if parameters else (None, None)
    measure = FLICKR30K if scores else None
    return Recommended(
        name, summary, name, "unknown", parameters, dim, size, measure=measure, scores=MappingProxyType(scores),
        spoken=spoken, note=ALT, is_open_clip=False,
    )  # fmt: skip


# The scores of each line are in the order of XM3600.languages. fmt: off
_ALL = (
    _clip("ViT-B-32/laion2b_s34b_b79k", "Small and quick; English", "laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "MIT",
          (151.3, 512, 224, 1001, 2.29), en=68.78, de=36.6, fr=56.08),
    _clip("ViT-B-32-SigLIP2-256/webli", "Quick and good; large languages", "timm/ViT-B-32-SigLIP2-256", "Apache-2.0",
          (376.9, 768, 256, 3061, 3.31), SIGLIP2,
          en=73.15, zh=62.56, de=84.44, fr=82.27, cs=54.31, ar=60.7, hi=27.08),
    _clip("ViT-B-16-SigLIP2/webli", "Among the best in English at this speed; large languages",
          "timm/ViT-B-16-SigLIP2", "Apache-2.0", (375.2, 768, 224, 3038, 5.81), SIGLIP2,
          en=75.19, zh=64.39, de=86.44, fr=84.3, cs=54.81, ar=61.71, hi=27.87),
    _clip("ViT-L-16-SigLIP2-384/webli", "Finer detail, good in European languages", "timm/ViT-L-16-SigLIP2-384",
          "Apache-2.0", (881.9, 1024, 384, 3057, 51.7), SIGLIP2,
          en=74.92, zh=67.05, de=89.39, fr=86.9, cs=62.12, ar=68.25, hi=35.76, bn=21.44),
    _clip("ViT-SO400M-16-SigLIP2-384/webli", "The best here in German", "timm/ViT-SO400M-16-SigLIP2-384",
          "Apache-2.0", (1136.0, 1152, 384, 3854, 56.57), SIGLIP2,
          en=75.09, zh=67.33, de=89.81, fr=87.6, cs=62.98, ar=69.31, hi=34.94, bn=26.19),
    _clip("xlm-roberta-base-ViT-B-32/laion5b_s13b_b90k", "Quick, many languages, free to use",
          "laion/CLIP-ViT-B-32-xlm-roberta-base-laion5B-s13B-b90k", "MIT", (366.1, 512, 224, 3030, 3.2), XLM_R,
          en=68.33, zh=72.52, de=81.63, fr=79.65, cs=61.01, ar=59.66, hi=32.06),
    _clip("xlm-roberta-large-ViT-H-14/frozen_laion5b_s13b_b90k", "The best many-language model that is free to use",
          "laion/CLIP-ViT-H-14-frozen-xlm-roberta-large-laion5B-s13B-b90k", "MIT",
          (1193.0, 1024, 224, 4014, 39.14), XLM_R,
          en=71.45, zh=77.19, de=87.19, fr=84.49, cs=67.49, ar=66.52, hi=38.54),
    _clip("nllb-clip-base-siglip/v1", "200 languages, also those with few texts", "visheratin/nllb-clip-base-siglip",
          "CC-BY-NC-4.0", (507.2, 768, 384, 4675, 15.17), NLLB,
          en=68.41, zh=72.65, de=84.81, fr=82.14, cs=67.15, ar=73.19, hi=58.54, bn=73.34),
    _clip("nllb-clip-large-siglip/v1", "The best across 200 languages", "visheratin/nllb-clip-large-siglip",
          "CC-BY-NC-4.0", (1195.4, 1152, 384, 4226, 75.05), NLLB,
          en=71.19, zh=77.49, de=88.42, fr=86.11, cs=71.57, ar=76.44, hi=61.67, bn=76.16),
    _clip("ViT-L-14/laion2b_s32b_b82k", "English; widely used, so that its vectors are often around already",
          "laion/CLIP-ViT-L-14-laion2B-s32B-b82K", "MIT", (427.6, 768, 224, 2233, 20.56),
          en=69.86, de=42.88, fr=61.78),
    _clip("ViT-H-14-378-quickgelu/dfn5b", "The best here in English and French; large and slow",
          "apple/DFN5B-CLIP-ViT-H-14-378", "apple-sample-code-license", (986.7, 1024, 378, 5049, 108.4),
          en=75.73, de=89.77, fr=87.74, cs=32.38),
    _alt("BAAI/AltCLIP", "English and Chinese", (), 864.2, en=72.5, zh=69.8),
    _alt("BAAI/AltCLIP-m9", "9 languages", ("en", "zh", "es", "fr", "ru", "ja", "ko", "ar", "it"), 864.2),
    _alt("BAAI/AltCLIP-m18", "18 languages",
         ("en", "zh", "ja", "th", "ko", "hi", "uk", "ar", "tr", "vi", "pl", "nl", "pt", "it", "es", "de", "fr", "ru")),
    Recommended("CIDAS/clipseg-rd64-refined", "Shows where: outlines what a text or a picture asks for, in English",
                "CIDAS/clipseg-rd64-refined", "Apache-2.0", 150.7, 512, 352, spoken=("en",), is_open_clip=False,
                task="segmenter"),
)  # fmt: skip
# fmt: on

RECOMMENDED: Mapping[str, Recommended] = MappingProxyType({model.name: model for model in _ALL})


def best_score(measure: Measure, lang: str) -> float | None:
    """The best published score in `lang`; None where nobody published one."""
    return max((m.scores[lang] for m in _ALL if m.measure is measure and lang in m.scores), default=None)


def is_weak(model: Recommended, lang: str) -> bool:
    """Whether `model` is known to do much worse in `lang` than others do; False where nobody knows."""
    if lang in model.spoken or model.task != "encoder":
        return False
    if model.measure is None or lang not in model.measure.languages:
        return not model.more_languages  # it reads those languages alone that are named
    best = best_score(model.measure, lang)
    return best is not None and model.scores.get(lang, 0.0) < WEAK * best
