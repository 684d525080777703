"""`sightline models list`, `info`, `recommend` and `pull`."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from cli.output import in_units, print_json, print_text, shown, wrapped
from cli.progress import PullProgressBar
from encoders import registry
from encoders.hub import Manifest, PullPlan, import_folder, make_plan, model_folder, read_manifest, resolve
from encoders.hub import pull as pull_files
from encoders.licences import commercial_only, describe_licence, permitted_use, require_commercial
from encoders.machine import this_machine
from encoders.model_catalog import BUILT_IN_MODELS, MODEL_CATALOG, recommend
from encoders.model_info import ModelDescription, all_models, describe_model

__all__ = ["print_model", "print_models", "print_recommendation", "pull_model"]

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
    for key, value in {**_model_facts(model), **encoder_facts}.items():
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
    advice = recommend(lang.strip().lower(), machine, commercial=commercial_only(requested=commercial))
    name = advice.model.name if advice.model else "mini"
    if as_json:
        print_json({"name": name, "lang": lang, "reasons": list(advice.reasons), **vars(machine)})
        return
    print_text(name)
    for reason in advice.reasons:
        print_text(wrapped(reason, "  ", "  "))
    if advice.model:
        print_text(f"  To get it: sightline models pull {name}")


def pull_model(name: str, *, folder: Path | None, dry_run: bool, yes: bool, commercial: bool, update: bool) -> None:
    """Download a model, or take its files from `folder`."""
    if name.strip() in BUILT_IN_MODELS:
        print_text(f"{name} is built in.")
        return
    pulled = read_manifest(model_folder(name))
    if pulled is not None and not (dry_run or update):
        require_commercial(pulled.name, pulled.licence, requested=commercial)
        print_text(f"{name} is already pulled: {shown(model_folder(name))} ({in_units(pulled.size)})")
        return
    source = resolve(name)
    if folder is not None:
        require_commercial(name, _listed_licence(source.name, "unknown"), requested=commercial)
        _report_pulled(import_folder(source, folder))
        return
    plan = make_plan(source)
    if pulled is not None and update and pulled.revision == plan.revision:
        print_text(f"{name} has not changed since it was pulled.")
        return
    for line in _plan_lines(plan):
        click.echo(line, err=not dry_run)
    require_commercial(plan.name, " and ".join(_licences(plan)), requested=commercial)
    if dry_run or not (yes or _confirm()):
        return
    with PullProgressBar() as progress:
        manifest = pull_files(plan, progress, update=update)
    _report_pulled(manifest)


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
    """Return facts that require loading the encoder, for built-in models and folders."""
    if model.location not in ("built in", "plug-in", "folder") or model.task != "encoder":
        return {}
    encoder = registry.load(model.name)
    return {
        "dim": encoder.space.dim,
        "input": f"{encoder.preprocess.size}x{encoder.preprocess.size}, {encoder.preprocess.fit}",
        "weights": encoder.space.weights,
        "fingerprint": encoder.space.fingerprint,
    }


def _print_fact(key: str, value: str) -> None:
    print_text(wrapped(value, f"{key:<12}", " " * 12))


def _licences(plan: PullPlan) -> list[str]:
    """Return the licences of all parts, the model's first."""
    return [_listed_licence(plan.name, plan.licences[0]), *plan.licences[1:]]


def _listed_licence(name: str, stated: str) -> str:
    """Return the licence that a repository states, or the one in the catalog if it states none."""
    return MODEL_CATALOG[name].licence if stated == "unknown" and name in MODEL_CATALOG else stated


def _plan_lines(plan: PullPlan) -> list[str]:
    lines = [f"{plan.name}: {in_units(plan.size)}, into {shown(plan.folder)}"]
    for part in plan.parts:
        prefix = f"{part.folder}: " if part.folder else ""
        lines.append(f"  {prefix}{part.listing.repository} ({in_units(part.size)})")
        lines += [f"    {part.target(file)}  {in_units(file.size)}" for file in part.files]
    return [*lines, *(f"  licence: {describe_licence(licence)}" for licence in _licences(plan))]


def _confirm() -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal for a confirmation. Use --yes to download without one.")
    return click.confirm("Download it?", default=True, err=True)


def _report_pulled(manifest: Manifest) -> None:
    print_text(f"{manifest.name} is complete: {shown(model_folder(manifest.name))} ({in_units(manifest.size)})")
