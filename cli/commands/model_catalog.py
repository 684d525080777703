"""`sightline models list`, `info`, `recommend` and `pull`."""

import re
from pathlib import Path

import click

from cli.options import json_option

__all__ = ["info", "list_models", "pull", "recommend"]


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
    """List built-in, pulled and recommended models."""
    from cli.model_catalog import print_models

    print_models(as_json=as_json)


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
    """Describe the model NAME: its task, languages, licence, scores and location."""
    from cli.model_catalog import print_model

    print_model(name, as_json=as_json)


UNITS = "kmgt"


def _parse_bytes(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    """Return `8GB`, `512 MB` or `8GiB` as a number of bytes."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", value.strip().lower())
    if match is None:
        raise click.BadParameter(f"{value!r} is not an amount of memory such as 8GB")
    power = UNITS.index(match[2]) + 1 if match[2] else 0
    return int(float(match[1]) * (1024 if match[3] else 1000) ** power)


def _parse_language(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """Return the ISO 639-1 code of a language. Raises `click.BadParameter` for one that is not known."""
    from encoders.languages import language_code

    code = language_code(value)
    if code is None:
        raise click.BadParameter(f"{value!r} is not the code of a language (ISO 639-1), such as en, zh or pt.")
    return code


@click.command(
    epilog="""\b
Examples:
  sightline models recommend --lang zh
  sightline models recommend --lang cs --memory 8GB --commercial
"""
)
@click.option(
    "--lang",
    default="en",
    show_default=True,
    callback=_parse_language,
    metavar="CODE",
    help="Language of your queries: en, zh, de, ...",
)
@click.option(
    "--memory",
    callback=_parse_bytes,
    metavar="SIZE",
    help="Available memory, such as 8GB.  [default: that of this machine]",
)
@click.option("--commercial", is_flag=True, help="Only models whose licence is known to allow commercial use.")
@json_option
def recommend(lang: str, memory: int | None, commercial: bool, as_json: bool) -> None:
    """Recommend a model for a language and this machine, with reasons."""
    from cli.model_catalog import print_recommendation

    print_recommendation(lang, memory, commercial=commercial, as_json=as_json)


@click.command(
    epilog="""\b
Examples:
  sightline models pull ViT-B-32/laion2b_s34b_b79k
  sightline models pull BAAI/AltCLIP --dry-run          files and licence
  sightline models pull hf-hub:org/name --yes           without asking
  sightline models pull BAAI/AltCLIP --update           newer files
  sightline models pull BAAI/AltCLIP --from ./fetched   files of your own

Stop it at any time; the next run resumes the download. Models are stored in your data folder, or in the folder
that SIGHTLINE_MODELS names. HF_ENDPOINT selects another hub, HF_TOKEN your account.
"""
)
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Only print what would be downloaded.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--commercial", is_flag=True, help="Refuse licences that are not known to allow commercial use.")
@click.option("--update", is_flag=True, help="Download newer files of a model that is already pulled.")
@click.option(
    "--from",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Take the files from this folder instead of the network.",
)
def pull(name: str, dry_run: bool, yes: bool, commercial: bool, update: bool, folder: Path | None) -> None:
    """Download all files of the model NAME: weights, tokenizer, configuration, preprocessing.

    NAME is ARCHITECTURE/TAG as in open_clip, hf-hub:ORGANISATION/NAME, or ORGANISATION/NAME.
    """
    from cli.model_pull import pull_model

    pull_model(name, folder=folder, dry_run=dry_run, yes=yes, commercial=commercial, update=update)
