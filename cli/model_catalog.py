"""`sightline models list`, `info` and `recommend`."""

from dataclasses import replace
from typing import Any

from cli.output import in_units, print_json, print_text, shown, wrapped
from core.errors import BadCheckpoint, DeviceUnavailable, ExtraMissing, LicenceNotAllowed, ModelUnavailable
from encoders import registry
from encoders.base import Encoder
from encoders.compiled.int8 import Int8Encoder, describe_int8
from encoders.compiled.runtime import describe_runtime
from encoders.licences import commercial_only, describe_licence, permitted_use
from encoders.machine import this_machine
from encoders.model_catalog import TEST_DOUBLE, recommend
from encoders.model_info import ModelDescription, all_models, describe_model

__all__ = ["print_model", "print_models", "print_recommendation"]

HEADINGS = {
    "built in": "Built in",
    "plug-in": "Plug-ins",
    "pulled": "Pulled",
    "recommended": "Recommended, not pulled yet; `sightline models pull NAME` downloads a model",
}


def print_models(*, as_json: bool) -> None:
    """Print all models by location."""
    heading = ""
    for model in all_models():
        if model.name == TEST_DOUBLE:
            continue
        if as_json:
            print_json(_model_record(model))
            continue
        if heading != HEADINGS[model.location]:
            if heading:
                print_text()
            heading = HEADINGS[model.location]
            print_text(heading)
        print_text(f"  {model.name}")
        for text in (model.summary, _summary(model)):
            print_text(wrapped(text, " " * 6, " " * 6))


def print_model(name: str, *, as_json: bool) -> None:
    """Print everything about one model."""
    model = describe_model(name)
    encoder_facts = _encoder_facts(model)
    if as_json:
        print_json({**_model_record(model), **encoder_facts})
        return
    versions = encoder_facts.get("versions", ())
    shown_versions = {"versions": ", ".join(versions) if len(versions) > 1 else None}
    for key, value in {**_model_facts(model), **encoder_facts, **shown_versions}.items():
        if value not in (None, ""):
            _print_fact(key, str(value))
    for lang, score in sorted(model.scores.items(), key=lambda pair: -pair[1]):
        print_text(f"{'score ' + lang:<12}{score:.1f}")
    if model.measure:
        _print_fact("measure", model.measure.what)
        _print_fact("source", model.measure.source)


def print_recommendation(lang: str, memory: int | None, *, commercial: bool, as_json: bool) -> None:
    """Print the recommended model for a language, and the reasons."""
    machine = this_machine()
    if memory is not None:
        machine = replace(machine, memory=memory)
    advice = recommend(lang, machine, commercial=commercial_only(requested=commercial))
    name = advice.model.name if advice.model else "mini"
    if as_json:
        print_json({"name": name, "lang": lang, "reasons": list(advice.reasons), **vars(machine)})
        return
    print_text(name)
    for reason in advice.reasons:
        print_text(wrapped(reason, "  ", "  "))
    if advice.model:
        print_text(f"  To get it: sightline models pull {name}")


def _model_record(model: ModelDescription) -> dict[str, Any]:
    return {
        **vars(replace(model, measure=None)),
        "use": permitted_use(model.licence),
        "measure": model.measure.what if model.measure else None,
        "source": model.measure.source if model.measure else None,
        "usable": not model.missing,
    }


def _summary(model: ModelDescription) -> str:
    use = permitted_use(model.licence)
    licence = model.licence if use == "commercial" else f"{model.licence} ({use})" if use != model.licence else use
    parts = [" ".join(model.languages), f"licence {licence}" if licence == "unknown" else licence]
    if model.size is not None:
        parts.append(in_units(model.size))
    if model.location == "pulled" and model.missing:
        parts.append(f"requires {model.missing}")
    return "; ".join(part for part in parts if part)


def _model_facts(model: ModelDescription) -> dict[str, Any]:
    languages = ", ".join(model.languages)
    return {
        "name": model.name,
        "summary": model.summary,
        "task": model.task,
        "languages": "; ".join(part for part in (languages, model.more_languages) if part) or "unknown",
        "licence": describe_licence(model.licence),
        "note": model.note,
        "location": ", in ".join([model.location, *([shown(model.folder)] if model.folder else [])]),
        "usable": f"not yet: {model.missing}" if model.missing else "yes",
        "size": None if model.size is None else in_units(model.size),
        "dim": model.dim,
        "input": None if model.input is None else f"{model.input}x{model.input}",
        "repository": model.repository,
        "revision": model.revision,
    }


def _encoder_facts(model: ModelDescription) -> dict[str, Any]:
    """Return facts that require loading the encoder, of models that can be used."""
    if model.location == "recommended" or model.task != "encoder":
        return {}
    if model.location == "pulled":
        return {} if model.missing else _runtime_facts(model.name)
    encoder = registry.load(model.name)
    versions = [each.space.name for each in registry.installed_versions(encoder.space.model) if each.space.version]
    return {
        "version": encoder.space.version,
        "versions": versions,
        "dim": encoder.space.dim,
        "input": f"{encoder.preprocess.size}x{encoder.preprocess.size}, {encoder.preprocess.fit}",
        "weights": encoder.space.weights,
        "fingerprint": encoder.space.fingerprint,
        **_describe_runtime(encoder),
    }


def _runtime_facts(name: str) -> dict[str, Any]:
    try:
        return _describe_runtime(registry.load(name))
    except (BadCheckpoint, DeviceUnavailable, ExtraMissing, LicenceNotAllowed, ModelUnavailable) as exc:
        return {"usable": f"no: {exc}"}


def _describe_runtime(encoder: Encoder) -> dict[str, str]:
    return describe_int8(encoder) if isinstance(encoder, Int8Encoder) else describe_runtime(encoder)


def _print_fact(key: str, value: str) -> None:
    print_text(wrapped(value, f"{key:<12}", " " * 12))
