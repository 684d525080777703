"""Known models: the built-in ones, and a catalog of others with their published scores, from which one is recommended.

No score here was measured by this project; each has a source. Parameter counts are those of the architectures as
open_clip and transformers build them. A download has about 4 bytes per parameter.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from encoders.languages import language_name
from encoders.licences import describe_licence, permitted_use
from encoders.machine import Machine
from encoders.published_scores import CROSSMODAL_3600, crossmodal_scores

__all__ = [
    "BUILT_IN_MODELS",
    "FLICKR30K",
    "MODEL_CATALOG",
    "TEST_DOUBLE",
    "XM3600",
    "BuiltInModel",
    "CatalogModel",
    "Measure",
    "Recommendation",
    "best_score",
    "is_known_weak",
    "is_weak",
    "recommend",
]

WEAK_SCORE_RATIO = 0.75
"""A model is weak in a language if it reaches less than this fraction of the best published score there."""

RESERVED_MEMORY = 1.5 * 2**30
"""Bytes of memory to leave for everything but the model."""

MAX_SCORE_LOSS_CPU, MAX_SCORE_LOSS_GPU = 5.0, 1.0
"""Points of score that a faster model may lose against the best one. Without a GPU, speed matters more."""


@dataclass(frozen=True)
class BuiltInModel:
    """A model that is part of Sightline."""

    name: str
    summary: str
    languages: tuple[str, ...]
    """ISO 639-1 codes."""
    licence: str
    """Licence of the weights, as an SPDX identifier."""


TEST_DOUBLE = "fake"
"""The built-in model for tests. It can be used by name, but is not listed."""

BUILT_IN_MODELS: Mapping[str, BuiltInModel] = MappingProxyType(
    {
        model.name: model
        for model in (
            BuiltInModel(
                name="mini",
                summary="Small, works at once and offline; trained by this project",
                languages=("en", "zh", "de", "fr", "cs", "ar"),
                licence="Apache-2.0",
            ),
            BuiltInModel(
                name=TEST_DOUBLE,
                summary="For tests: sees only colours, so its vectors can be checked by hand",
                languages=("en",),
                licence="Apache-2.0",
            ),
        )
    }
)


@dataclass(frozen=True)
class Measure:
    """What a published score measures, and who published it."""

    what: str
    source: str
    languages: tuple[str, ...]
    """The languages whose tables were read. A model without a score in one of them is assumed to be weak there."""


XM3600 = Measure(
    "text to picture on Crossmodal-3600: mean of Recall@1, @5 and @10, in %",
    "Immich, docs/docs/features/searching.md (github.com/immich-app/immich); memory and time: float32, 7800X3D",
    tuple(CROSSMODAL_3600),
)
FLICKR30K = Measure(
    "text to picture on Flickr30K: Recall@1, in %",
    "FlagAI, examples/AltCLIP/README.md (github.com/FlagAI-Open/FlagAI); Chen et al., arXiv:2211.06679",
    ("en", "zh"),
)


@dataclass(frozen=True)
class CatalogModel:
    """A model of the catalog. Memory and time are those of the source of its measure."""

    name: str
    summary: str
    repository: str
    licence: str
    """An SPDX identifier where there is one; `unknown` if the authors state no licence."""
    parameters: float | None = None
    """Millions."""
    dim: int | None = None
    size: int | None = None
    """Side of the square input image, in pixels."""
    memory: int | None = None
    """MiB."""
    milliseconds: float | None = None
    """Per picture."""
    measure: Measure | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    """By ISO 639-1 code."""
    spoken: tuple[str, ...] = ()
    """Languages that the authors name, in addition to those with a score."""
    more_languages: str = ""
    breadth: int = 1
    """About how many languages it reads."""
    note: str = ""
    is_open_clip: bool = True
    task: str = "encoder"

    @property
    def download(self) -> int | None:
        """Approximate size of the weights in bytes (float32); None if the number of parameters is unknown."""
        return None if self.parameters is None else round(self.parameters * 4e6)

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages with a published score that is not weak, best first, then those that its authors name."""
        strong = [lang for lang in self.scores if not is_weak(self, lang)]
        best_first = sorted(strong, key=lambda lang: -self.scores[lang])
        return (*best_first, *(lang for lang in self.spoken if lang not in self.scores))


XLM_R = ("about 100: those of XLM-R", 100)
SIGLIP2 = ("many, but weak in those with little training data", 50)
NLLB = ("about 200: those of NLLB", 200)
ALT = "some of its model cards state creativeml-openrail-m, others state no licence"


def _clip(
    name: str, summary: str, repository: str, licence: str, facts: tuple[float, int, int, int, float],
    more: tuple[str, int] = ("", 1),
) -> CatalogModel:  # fmt: skip
    """Return a model of open_clip; `facts` are millions of parameters, dimension, side, memory, milliseconds."""
    parameters, dim, size, memory, milliseconds = facts
    return CatalogModel(
        name, summary, repository, licence, parameters, dim, size, memory, milliseconds, XM3600,
        MappingProxyType(crossmodal_scores(name)), more_languages=more[0], breadth=more[1],
    )  # fmt: skip


def _alt(
    name: str, languages: str, spoken: tuple[str, ...], parameters: float | None = None, **scores: float
) -> CatalogModel:
    """Return an AltCLIP. Those with a known number of parameters have OpenAI's ViT-L-14 as their image tower."""
    summary = f"AltCLIP: {languages}; its text encoder is an XLM-R"
    dim, size = (768, 224) if parameters else (None, None)
    measure = FLICKR30K if scores else None
    return CatalogModel(
        name, summary, name, "unknown", parameters, dim, size, measure=measure, scores=MappingProxyType(scores),
        spoken=spoken, note=ALT, is_open_clip=False,
    )  # fmt: skip


# fmt: off
_ALL = (
    _clip("ViT-B-32/laion2b_s34b_b79k", "Small and fast; English", "laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "MIT",
          (151.3, 512, 224, 1001, 2.29)),
    _clip("ViT-B-32-SigLIP2-256/webli", "Fast and accurate in widely used languages",
          "timm/ViT-B-32-SigLIP2-256", "Apache-2.0", (376.9, 768, 256, 3061, 3.31), SIGLIP2),
    _clip("ViT-B-16-SigLIP2/webli", "Among the best in English at its speed; other widely used languages",
          "timm/ViT-B-16-SigLIP2", "Apache-2.0", (375.2, 768, 224, 3038, 5.81), SIGLIP2),
    _clip("ViT-L-16-SigLIP2-384/webli", "Finer detail; good in European languages", "timm/ViT-L-16-SigLIP2-384",
          "Apache-2.0", (881.9, 1024, 384, 3057, 51.7), SIGLIP2),
    _clip("ViT-SO400M-16-SigLIP2-384/webli", "The best of these in German", "timm/ViT-SO400M-16-SigLIP2-384",
          "Apache-2.0", (1136.0, 1152, 384, 3854, 56.57), SIGLIP2),
    _clip("xlm-roberta-base-ViT-B-32/laion5b_s13b_b90k", "Fast; many languages; permissive licence",
          "laion/CLIP-ViT-B-32-xlm-roberta-base-laion5B-s13B-b90k", "MIT", (366.1, 512, 224, 3030, 3.2), XLM_R),
    _clip("xlm-roberta-large-ViT-H-14/frozen_laion5b_s13b_b90k",
          "The best for many languages with a permissive licence",
          "laion/CLIP-ViT-H-14-frozen-xlm-roberta-large-laion5B-s13B-b90k", "MIT",
          (1193.0, 1024, 224, 4014, 39.14), XLM_R),
    _clip("nllb-clip-base-siglip/v1", "200 languages, including those with little training data",
          "visheratin/nllb-clip-base-siglip", "CC-BY-NC-4.0", (507.2, 768, 384, 4675, 15.17), NLLB),
    _clip("nllb-clip-large-siglip/v1", "The best across 200 languages", "visheratin/nllb-clip-large-siglip",
          "CC-BY-NC-4.0", (1195.4, 1152, 384, 4226, 75.05), NLLB),
    _clip("ViT-L-14/laion2b_s32b_b82k", "English; widely used, so published embeddings often come from it",
          "laion/CLIP-ViT-L-14-laion2B-s32B-b82K", "MIT", (427.6, 768, 224, 2233, 20.56)),
    _clip("ViT-H-14-378-quickgelu/dfn5b", "The best of these in English and French; large and slow",
          "apple/DFN5B-CLIP-ViT-H-14-378", "apple-sample-code-license", (986.7, 1024, 378, 5049, 108.4)),
    _alt("BAAI/AltCLIP", "English and Chinese", (), 864.2, en=72.5, zh=69.8),
    _alt("BAAI/AltCLIP-m9", "9 languages", ("en", "zh", "es", "fr", "ru", "ja", "ko", "ar", "it"), 864.2),
    _alt("BAAI/AltCLIP-m18", "18 languages",
         ("en", "zh", "ja", "th", "ko", "hi", "uk", "ar", "tr", "vi", "pl", "nl", "pt", "it", "es", "de", "fr", "ru")),
    CatalogModel("CIDAS/clipseg-rd64-refined", "For highlights: outlines what a text or a picture describes; English",
                "CIDAS/clipseg-rd64-refined", "Apache-2.0", 150.7, 512, 352, spoken=("en",), is_open_clip=False,
                task="segmenter"),
)  # fmt: skip
# fmt: on

MODEL_CATALOG: Mapping[str, CatalogModel] = MappingProxyType({model.name: model for model in _ALL})


@dataclass(frozen=True)
class Recommendation:
    """The recommended model, None for the built-in one, and the reasons, a sentence each."""

    model: CatalogModel | None
    reasons: tuple[str, ...]


def best_score(measure: Measure, lang: str) -> float | None:
    """Return the best published score in `lang`, or None without a score."""
    return max((m.scores[lang] for m in _ALL if m.measure is measure and lang in m.scores), default=None)


def is_weak(model: CatalogModel, lang: str) -> bool:
    """Return whether `model` is known to be much worse in `lang` than others; False if this is unknown."""
    if lang in model.spoken or model.task != "encoder":
        return False
    if model.measure is None or lang not in model.measure.languages:
        return not model.more_languages  # it reads only the languages that are named
    best = best_score(model.measure, lang)
    return best is not None and model.scores.get(lang, 0.0) < WEAK_SCORE_RATIO * best


def is_known_weak(name: str, lang: str) -> bool:
    """Return whether the model called `name` is known to be weak in `lang`; False for a model that is not listed."""
    name = name.partition("?")[0]  # without ?lang=
    if name in BUILT_IN_MODELS:
        return lang not in BUILT_IN_MODELS[name].languages
    return name in MODEL_CATALOG and is_weak(MODEL_CATALOG[name], lang)


def recommend(lang: str, machine: Machine, *, commercial: bool = False) -> Recommendation:
    """Recommend a model for queries in `lang` (ISO 639-1): the best that fits, or a much faster one nearly as good.

    `commercial` leaves out models whose licence is not known to permit commercial use.
    """
    allowed = [
        model
        for model in MODEL_CATALOG.values()
        if model.measure is XM3600 and (not commercial or permitted_use(model.licence) == "commercial")
    ]
    fitting = [model for model in allowed if _required_memory(model) <= machine.memory]
    if not fitting:
        least = min(_required_memory(model) for model in allowed)
        reason = (
            f"Every larger model needs at least {_gib(least)} of memory, and this machine has {_gib(machine.memory)}: "
            "stay with the built-in model."
        )
        return Recommendation(None, (reason,))
    scored = [model for model in fitting if lang in model.scores and not is_weak(model, lang)]
    return _best_of(scored, lang, machine) if scored else _widest_of(fitting, lang, machine)


def _best_of(models: list[CatalogModel], lang: str, machine: Machine) -> Recommendation:
    """Recommend one of the models with a good published score in `lang`."""
    best = max(models, key=lambda model: model.scores[lang])
    max_loss = MAX_SCORE_LOSS_GPU if machine.has_gpu else MAX_SCORE_LOSS_CPU
    near = [model for model in models if model.scores[lang] >= best.scores[lang] - max_loss]
    chosen = min(near, key=_milliseconds)
    reasons = [f"It scores {chosen.scores[lang]:.1f} in {language_name(lang)} ({XM3600.what})."]
    if chosen is not best:
        ratio = _milliseconds(best) / _milliseconds(chosen)
        reasons.append(
            f"{best.name} is the best that fits, with {best.scores[lang]:.1f}, but takes {ratio:.0f} times as long per "
            + ("picture; the difference is small." if machine.has_gpu else "picture, which matters without a GPU.")
        )
    return Recommendation(chosen, (*reasons, *_costs(chosen, machine), f"Scores: {XM3600.source}."))


def _widest_of(fitting: Iterable[CatalogModel], lang: str, machine: Machine) -> Recommendation:
    """Recommend the model that covers the most languages, for a language without a good published score."""
    chosen = min(fitting, key=lambda model: (-model.breadth, _milliseconds(model)))
    name = language_name(lang)
    if is_weak(chosen, lang):
        is_trained = lang in BUILT_IN_MODELS["mini"].languages
        stay = "the built-in model was trained on it" if is_trained else "stay with the built-in one"
        reason = f"No model that fits into {_gib(machine.memory)} of memory is known to be good in {name}; {stay}."
        return Recommendation(None, (reason,))
    reason = (
        f"No published score in {name} is known. This is the fastest of the models that cover the most languages "
        f"({chosen.more_languages})."
    )
    return Recommendation(chosen, (reason, *_costs(chosen, machine)))


def _costs(model: CatalogModel, machine: Machine) -> tuple[str, ...]:
    download = "" if model.download is None else f"a download of about {model.download / 1e9:.1f} GB and "
    return (
        f"It needs {download}about {_gib((model.memory or 0) * 2**20)} of memory "
        f"(this machine has {_gib(machine.memory)}).",
        f"Licence: {describe_licence(model.licence)}.",
    )


def _required_memory(model: CatalogModel) -> float:
    return (model.memory or 0) * 2**20 + RESERVED_MEMORY


def _milliseconds(model: CatalogModel) -> float:
    return model.milliseconds or float("inf")


def _gib(size: float) -> str:
    return f"{size / 2**30:.1f} GiB"
