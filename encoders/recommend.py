"""Which model to take for a language on a machine, and why, in words."""

import os
import platform
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from encoders.licences import in_words, use_of
from encoders.model_catalog import RECOMMENDED, XM3600, Recommended, is_weak
from encoders.registry import MODELS

__all__ = ["Advice", "Machine", "is_known_weak", "language_name", "recommend", "this_machine"]

REST = 1.5 * 2**30
"""Bytes of memory that everything but the model may take."""

SLACK_CPU, SLACK_GPU = 5.0, 1.0
"""Points of score that a quicker model may be behind the best: without a GPU, speed is what one feels."""

GPU_FILES = (Path("/proc/driver/nvidia/version"), Path("/usr/lib/wsl/lib/nvidia-smi"), Path("/dev/kfd"))
MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")

NAMES = {
    "ar": "Arabic", "bn": "Bengali", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian",
    "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch",
    "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish",
    "sw": "Swahili", "te": "Telugu", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese",
    "zh": "Chinese",
}  # fmt: skip


@dataclass(frozen=True)
class Machine:
    """What a model would run on."""

    memory: int
    """Bytes."""
    has_gpu: bool


@dataclass(frozen=True)
class Advice:
    """The model to take, None for the built-in one, and the sentences that say why."""

    model: Recommended | None
    reasons: tuple[str, ...]


def language_name(code: str) -> str:
    """`code` in English words, where that is known."""
    return NAMES.get(code, repr(code))


def this_machine() -> Machine:
    """Its memory, or what a container leaves of it, and whether a GPU is there. Imports nothing heavy."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):  # pragma: no cover (no such question on this system)
        memory = 8 * 2**30
    with suppress(OSError, ValueError):  # no container, or one without a limit
        memory = min(memory, int(MEMORY_LIMIT.read_text()))
    apple = sys.platform == "darwin" and platform.machine() == "arm64"
    return Machine(memory, apple or any(file.exists() for file in GPU_FILES))


def recommend(lang: str, machine: Machine, *, commercial: bool = False) -> Advice:
    """The model for queries in `lang` (ISO 639-1): the best that fits, or a much quicker one that is nearly as good.

    `commercial` leaves out what is not known to allow commercial use.
    """
    allowed = [
        model
        for model in RECOMMENDED.values()
        if model.measure is XM3600 and (not commercial or use_of(model.licence) == "commercial")
    ]
    fitting = [model for model in allowed if _needs(model) <= machine.memory]
    if not fitting:
        least = min(_needs(model) for model in allowed)
        return Advice(None, (f"Every larger model needs {_gib(least)} of memory or more, and this machine has "
                             f"{_gib(machine.memory)}: stay with the built-in model.",))  # fmt: skip
    scored = [model for model in fitting if lang in model.scores and not is_weak(model, lang)]
    if not scored:
        return _widest(lang, fitting, machine)
    best = max(scored, key=lambda model: model.scores[lang])
    slack = SLACK_GPU if machine.has_gpu else SLACK_CPU
    near = [model for model in scored if model.scores[lang] >= best.scores[lang] - slack]
    chosen = min(near, key=_milliseconds)
    reasons = [f"In {language_name(lang)} it scores {chosen.scores[lang]:.1f} ({XM3600.what})."]
    if chosen is not best:
        reasons.append(
            f"{best.name} is the best that fits, with {best.scores[lang]:.1f}, and takes "
            f"{_milliseconds(best) / _milliseconds(chosen):.0f} times as long a picture; "
            + ("the difference is small." if machine.has_gpu else "without a GPU, that is what you would feel.")
        )
    return Advice(chosen, (*reasons, *_costs(chosen, machine), f"Scores: {XM3600.source}."))


def is_known_weak(name: str, lang: str) -> bool:
    """Whether the model `name` is known to do badly in `lang`; False for a model of which nobody knows."""
    name = name.partition("?")[0]  # without what a model is told of its language
    if name in MODELS:
        return lang not in MODELS[name].languages
    return name in RECOMMENDED and is_weak(RECOMMENDED[name], lang)


def _widest(lang: str, fitting: Iterable[Recommended], machine: Machine) -> Advice:
    """For a language in which nobody has published a good score of a model that fits: who reads the most languages."""
    chosen = min(fitting, key=lambda model: (-model.breadth, _milliseconds(model)))
    name = language_name(lang)
    if is_weak(chosen, lang):
        stay = (
            "the built-in model was trained on it" if lang in MODELS["mini"].languages else "stay with the built-in one"
        )
        reason = f"No model that fits into {_gib(machine.memory)} of memory is known to be good in {name}; {stay}."
        return Advice(None, (reason,))
    reason = (
        f"No score in {name} is known here; it is the quickest of those that read the most languages "
        f"({chosen.more_languages})."
    )
    return Advice(chosen, (reason, *_costs(chosen, machine)))


def _costs(model: Recommended, machine: Machine) -> tuple[str, ...]:
    download = "" if model.download is None else f"about {model.download / 1e9:.1f} GB to fetch, "
    return (
        f"It takes {download}about {_gib((model.memory or 0) * 2**20)} of memory (of {_gib(machine.memory)} here).",
        f"Licence: {in_words(model.licence)}.",
    )


def _needs(model: Recommended) -> float:
    return (model.memory or 0) * 2**20 + REST


def _milliseconds(model: Recommended) -> float:
    return model.milliseconds or float("inf")


def _gib(size: float) -> str:
    return f"{size / 2**30:.1f} GiB"
