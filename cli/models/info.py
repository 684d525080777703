"""`sightline models info`: all that is known of one model."""

from typing import TYPE_CHECKING, Any

import click

from cli.options import json_option

if TYPE_CHECKING:
    from encoders.model_info import Known

__all__ = ["info"]

INDENT = " " * 12


@click.command(
    epilog="""\b
Examples:
  sightline models info mini
  sightline models info nllb-clip-base-siglip/v1
  sightline models info ./clip-finetuned          a folder of your own
"""
)
@click.argument("name")
@json_option
def info(name: str, as_json: bool) -> None:
    """Describe the model NAME: what it embeds, its languages, its licence, where it lies."""
    from cli.models.formatting import paragraph
    from cli.models.listing import facts
    from cli.output import print_json, print_text
    from encoders.model_info import known

    model = known(name)
    more = _of_encoder(model)
    if as_json:
        print_json({**facts(model), **more})
        return
    for key, value in {**_in_words(model), **more}.items():
        if value not in (None, ""):
            print_text(paragraph(str(value), f"{key:<12}", INDENT))
    for lang, score in sorted(model.scores.items(), key=lambda pair: -pair[1]):
        print_text(f"{'score ' + lang:<12}{score:.1f}")
    if model.measure:
        print_text(paragraph(model.measure.what, f"{'measure':<12}", INDENT))
        print_text(paragraph(model.measure.source, f"{'source':<12}", INDENT))


def _in_words(model: "Known") -> dict[str, Any]:
    from cli.models.formatting import in_units
    from cli.output import shown
    from encoders.licences import in_words

    languages = ", ".join(model.languages)
    return {
        "name": model.name,
        "summary": model.summary,
        "task": model.task,
        "languages": "; ".join(part for part in (languages, model.more_languages) if part) or "unknown",
        "licence": in_words(model.licence),
        "note": model.note,
        "location": ", in ".join([model.location, *([shown(model.folder)] if model.folder else [])]),
        "usable": f"not yet: {model.missing}" if model.missing else "yes",
        "size": None if model.size is None else in_units(model.size),
        "dim": model.dim,
        "input": None if model.input is None else f"{model.input}x{model.input}",
        "repository": model.repository,
        "revision": model.revision,
    }


def _of_encoder(model: "Known") -> dict[str, Any]:
    """What only the encoder itself can say; of those built in, and of folders, which nobody else has described."""
    from encoders import registry

    if model.location not in ("built in", "folder") or model.task != "encoder":
        return {}
    encoder = registry.load(model.name)
    return {
        "dim": encoder.space.dim,
        "input": f"{encoder.preprocess.size}x{encoder.preprocess.size}, {encoder.preprocess.fit}",
        "weights": encoder.space.weights,
        "fingerprint": encoder.space.fingerprint,
    }
