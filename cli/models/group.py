"""The verbs of `sightline models`, each imported only when it is run."""

from collections.abc import Mapping
from types import MappingProxyType

import click

from cli.lazy import LazyGroup

__all__ = ["VERBS", "models"]

VERBS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "list": ("cli.models.listing:list_models", "List the models: built in, pulled, recommended."),
        "info": ("cli.models.info:info", "Describe one model: languages, licence, scores, where it lies."),
        "recommend": ("cli.models.recommend:recommend", "Recommend a model for a language and this machine."),
        "pull": ("cli.models.pull:pull", "Fetch everything about a model into one folder."),
        "use": ("cli.spaces:use", "Let a model answer searches, once it has embedded every picture."),
        "drop": ("cli.spaces:drop", "Forget all vectors of a model in the library."),
    }
)


@click.group(
    cls=LazyGroup,
    verbs=VERBS,
    no_args_is_help=True,
    epilog="""\b
Examples:
  sightline models list
  sightline models recommend --lang zh
  sightline models pull xlm-roberta-base-ViT-B-32/laion5b_s13b_b90k
  sightline models use mini   let it answer, once it is ready
""",
)
def models() -> None:
    """List the models, fetch them, and change from one to another."""
