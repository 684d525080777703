"""`sightline models recommend`: which model to take, and why."""

import re

import click

from cli.options import json_option

__all__ = ["recommend"]

UNITS = "kmgt"


def in_bytes(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    """`8GB`, `512 MB` or `8GiB` as a number of bytes."""
    if value is None:
        return None
    said = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", value.strip().lower())
    if said is None:
        raise click.BadParameter(f"{value!r} is no amount of memory; say 8GB")
    power = UNITS.index(said[2]) + 1 if said[2] else 0
    return int(float(said[1]) * (1024 if said[3] else 1000) ** power)


@click.command(
    epilog="""\b
Examples:
  sightline models recommend --lang zh
  sightline models recommend --lang cs --memory 8GB --commercial
"""
)
@click.option(
    "--lang", default="en", show_default=True, metavar="CODE", help="Language of your queries: en, zh, de, ..."
)
@click.option(
    "--memory", callback=in_bytes, metavar="SIZE", help="Memory to count with, as 8GB.  [default: that of this machine]"
)
@click.option("--commercial", is_flag=True, help="Only models whose licence is known to allow commercial use.")
@json_option
def recommend(lang: str, memory: int | None, commercial: bool, as_json: bool) -> None:
    """Recommend a model for a language and this machine, and say why."""
    from dataclasses import replace

    from cli.models.formatting import paragraph
    from cli.output import print_json, print_text
    from encoders.licences import commercial_only
    from encoders.recommend import recommend as advise
    from encoders.recommend import this_machine

    machine = this_machine()
    if memory is not None:
        machine = replace(machine, memory=memory)
    advice = advise(lang.strip().lower(), machine, commercial=commercial_only(asked=commercial))
    name = advice.model.name if advice.model else "mini"
    if as_json:
        print_json({"name": name, "lang": lang, "reasons": list(advice.reasons), **vars(machine)})
        return
    print_text(name)
    for reason in advice.reasons:
        print_text(paragraph(reason, "  ", "  "))
    if advice.model:
        print_text(f"  Get it: sightline models pull {name}")
