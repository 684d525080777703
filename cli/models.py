"""`sightline models`: list the models, and describe one."""

import click

from cli.options import json_option

__all__ = ["models"]


@click.group(
    no_args_is_help=True,
    epilog="""\b
Examples:
  sightline models list
  sightline models info mini
""",
)
def models() -> None:
    """List the models, and describe one."""


@models.command(
    "list",
    epilog="""\b
Examples:
  sightline models list --json | jq .name
""",
)
@json_option
def list_models(as_json: bool) -> None:
    """List the models that can embed pictures."""
    from cli.output import print_json, print_text
    from encoders.registry import MODELS

    for model in MODELS.values():
        if as_json:
            print_json({**vars(model), "languages": list(model.languages)})
        else:
            print_text(f"{model.name:<8}{model.summary}  ({', '.join(model.languages)}; {model.licence})")


@models.command(
    epilog="""\b
Examples:
  sightline models info mini
"""
)
@click.argument("name")
@json_option
def info(name: str, as_json: bool) -> None:
    """Describe the model NAME: what it embeds, its languages, its licence."""
    from cli.output import print_json, print_text
    from encoders import registry

    model = registry.info(name)
    encoder = registry.load(name)
    facts = {
        **vars(model),
        "dim": encoder.space.dim,
        "input": f"{encoder.preprocess.size}x{encoder.preprocess.size}, {encoder.preprocess.fit}",
        "weights": encoder.space.weights,
        "fingerprint": encoder.space.fingerprint,
    }
    if as_json:
        print_json(facts)
        return
    for key, value in facts.items():
        print_text(f"{key:<12}{', '.join(value) if isinstance(value, tuple) else value}")
