"""`sightline models list`: what models there are."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from cli.options import json_option

if TYPE_CHECKING:
    from encoders.model_info import Known

__all__ = ["facts", "list_models"]

INDENT = " " * 6

HEADINGS = {
    "built in": "Built in",
    "pulled": "Pulled",
    "recommended": "Recommended, not here; `sightline models pull NAME` fetches one",
}


@click.command(
    "list",
    epilog="""\b
Examples:
  sightline models list
  sightline models list --json | jq -r 'select(.use == "commercial") | .name'
""",
)
@json_option
def list_models(as_json: bool) -> None:
    """List the models: built in, pulled, recommended."""
    from cli.models.formatting import paragraph
    from cli.output import print_json, print_text
    from encoders.model_info import all_known

    heading = ""
    for model in all_known():
        if as_json:
            print_json(facts(model))
            continue
        if heading != HEADINGS[model.location]:
            if heading:
                print_text()
            heading = HEADINGS[model.location]
            print_text(heading)
        print_text(f"  {model.name}")
        for text in (model.summary, _in_short(model)):
            print_text(paragraph(text, INDENT, INDENT))


def facts(model: "Known") -> dict[str, Any]:
    """What `--json` says of a model."""
    from encoders.licences import use_of

    plain = vars(replace(model, measure=None))
    return {
        **plain,
        "use": use_of(model.licence),
        "measure": model.measure.what if model.measure else None,
        "source": model.measure.source if model.measure else None,
        "usable": not model.missing,
    }


def _in_short(model: "Known") -> str:
    from cli.models.formatting import in_units
    from encoders.licences import use_of

    use = use_of(model.licence)
    licence = model.licence if use == "commercial" else f"{model.licence} ({use})" if use != model.licence else use
    parts = [" ".join(model.languages), f"licence {licence}" if licence == "unknown" else licence]
    if model.size is not None:
        parts.append(in_units(model.size))
    if model.location == "pulled" and model.missing:
        parts.append(f"needs {model.missing}")
    return "; ".join(part for part in parts if part)
