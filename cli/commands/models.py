"""`sightline models`: the group of its commands, each imported when it is run."""

from collections.abc import Mapping
from types import MappingProxyType

import click

from cli.command_types import LazyGroup

__all__ = ["MODEL_VERBS", "models"]

MODEL_VERBS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "list": ("cli.commands.model_catalog:list_models", "List built-in, pulled and recommended models."),
        "info": ("cli.commands.model_catalog:info", "Describe a model: languages, licence, scores, location."),
        "recommend": ("cli.commands.model_catalog:recommend", "Recommend a model for a language and this machine."),
        "pull": ("cli.commands.model_catalog:pull", "Download all files of a model into a folder."),
        "use": ("cli.commands.model_spaces:use", "Embed all pictures with a model, then make it active."),
        "drop": ("cli.commands.model_spaces:drop", "Remove all vectors of a model from the library."),
    }
)


@click.group(
    cls=LazyGroup,
    verbs=MODEL_VERBS,
    no_args_is_help=True,
    epilog="""\b
Examples:
  sightline models list
  sightline models recommend --lang zh
  sightline models pull xlm-roberta-base-ViT-B-32/laion5b_s13b_b90k
  sightline models use mini   make it active once all pictures are embedded
""",
)
def models() -> None:
    """List and download models, and switch between them."""
