"""`sightline classify`."""

from pathlib import Path

import click

from cli.command_types import NumberRange
from cli.options import (
    FilterOptions,
    filter_options,
    json_option,
    library_option,
    placement_options,
    space_option,
)
from encoders.placement import Placement

__all__ = ["classify"]


@click.command(
    epilog="""\b
Examples:
  sightline classify --labels "dog,cat,a person"             all pictures
  sightline classify --labels labels.txt ./a.jpg ./b.jpg     one label per line
  sightline classify --labels Hund,Katze --template "ein Foto von einem {}"
  sightline classify --labels beach,city,forest --add-tags   find: tag:beach
  sightline classify --labels beach,city --json | jq .label

Probabilities come from the model (its logit scale) and are relative to these labels: one of them always wins, so
add labels for everything else. A model without a logit scale, such as the built-in one, returns only the best label.
"""
)
@click.argument("pictures", nargs=-1, metavar="[PICTURE]...", type=click.Path(path_type=Path))
@click.option(
    "--labels", required=True, metavar="FILE|A,B,C", help="Two or more labels: a file with one per line, or a list."
)
@click.option(
    "--template", "templates", multiple=True, help="A sentence with {} for the label; several are averaged; repeatable."
)
@click.option("--lang", metavar="CODE", help="Language of the labels.  [default: detected, else en]")
@click.option("--add-tags", is_flag=True, help="Tag each picture with its best label.")
@click.option(
    "--min-probability",
    type=NumberRange(0, 1),
    help="Only pictures whose best label has at least this probability.  [default: 0.5 with --add-tags]",
)
@filter_options
@library_option
@space_option
@placement_options
@json_option
@click.pass_context
def classify(
    ctx: click.Context,
    /,
    pictures: tuple[Path, ...],
    labels: str,
    templates: tuple[str, ...],
    lang: str | None,
    add_tags: bool,
    min_probability: float | None,
    filters: FilterOptions,
    library: Path,
    space: str | None,
    placement: Placement,
    as_json: bool,
) -> None:
    """Classify the pictures of the library, or each PICTURE, by any labels, without training."""
    from cli.classification import ClassifyArguments, run_classify

    arguments = ClassifyArguments(
        pictures=pictures,
        labels=labels,
        templates=templates,
        lang=lang,
        add_tags=add_tags,
        min_probability=min_probability,
        filters=filters,
        library=library,
        space=space,
        placement=placement,
        as_json=as_json,
    )
    ctx.exit(run_classify(arguments))
