"""`sightline models pull`: everything about a model into one folder."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from encoders.hub import Manifest, Plan

__all__ = ["pull"]


@click.command(
    epilog="""\b
Examples:
  sightline models pull ViT-B-32/laion2b_s34b_b79k
  sightline models pull BAAI/AltCLIP --dry-run          which licence
  sightline models pull hf-hub:org/name --yes           without asking
  sightline models pull BAAI/AltCLIP --update           what changed since
  sightline models pull BAAI/AltCLIP --from ./fetched   files fetched by hand

Stop it at any time; the next one goes on where it was. Models lie in your data folder, or where
SIGHTLINE_MODELS says. HF_ENDPOINT names another hub, HF_TOKEN your account.
"""
)
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Only say what would be fetched.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--commercial", is_flag=True, help="Refuse licences that are not known to allow commercial use.")
@click.option("--update", is_flag=True, help="Of a model that is here, fetch what has changed since.")
@click.option(
    "--from",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Take the files from this folder instead of from the network.",
)
def pull(name: str, dry_run: bool, yes: bool, commercial: bool, update: bool, folder: Path | None) -> None:
    """Fetch everything about the model NAME: weights, tokenizer, configuration, preprocessing.

    NAME is ARCHITECTURE/TAG as open_clip has it, hf-hub:ORGANISATION/NAME, or ORGANISATION/NAME.
    """
    from cli.models.formatting import in_units
    from cli.models.progress import ShownPull
    from cli.output import print_text, shown
    from encoders.hub import adopt, make_plan, model_folder, read_manifest, resolve
    from encoders.hub import pull as fetch
    from encoders.registry import MODELS

    if name.strip() in MODELS:
        print_text(f"{name} is built in")
        return
    here = read_manifest(model_folder(name))
    if here is not None and not (dry_run or update):
        _check(here.name, here.licence, commercial)
        print_text(f"{name} is here already: {shown(model_folder(name))} ({in_units(here.size)})")
        return
    source = resolve(name)
    if folder is not None:
        _check(name, _listed_licence(source.name, "unknown"), commercial)
        _done(adopt(source, folder))
        return
    plan = make_plan(source)
    if here is not None and update and here.revision == plan.revision:
        print_text(f"{name} has not changed since it was pulled")
        return
    for line in _described(plan):
        click.echo(line, err=not dry_run)
    _check(plan.name, " and ".join(_licences(plan)), commercial)
    if dry_run or not (yes or _agreed()):
        return
    with ShownPull() as shown_pull:
        manifest = fetch(plan, shown_pull, update=update)
    _done(manifest)


def _check(name: str, licence: str, commercial: bool) -> None:
    from encoders.licences import require_commercial

    require_commercial(name, licence, asked=commercial)


def _licences(plan: "Plan") -> list[str]:
    """Of every part, the model's first."""
    return [_listed_licence(plan.name, plan.licences[0]), *plan.licences[1:]]


def _listed_licence(name: str, stated: str) -> str:
    """Where a repository states none, as the list of recommended models knows it."""
    from encoders.model_catalog import RECOMMENDED

    return RECOMMENDED[name].licence if stated == "unknown" and name in RECOMMENDED else stated


def _described(plan: "Plan") -> list[str]:
    from cli.models.formatting import in_units
    from cli.output import shown
    from encoders.licences import in_words

    lines = [f"{plan.name}: {in_units(plan.size)}, into {shown(plan.folder)}"]
    for part in plan.parts:
        what = f"{part.folder}: " if part.folder else ""
        lines.append(f"  {what}{part.listing.repository} ({in_units(part.size)})")
        lines += [f"    {part.place(file)}  {in_units(file.size)}" for file in part.files]
    return [*lines, *(f"  licence: {in_words(licence)}" for licence in _licences(plan))]


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError("nobody is there to ask; say --yes")
    return click.confirm("Fetch it?", default=True, err=True)


def _done(manifest: "Manifest") -> None:
    from cli.models.formatting import in_units
    from cli.output import print_text, shown
    from encoders.hub import model_folder

    print_text(f"{manifest.name} is complete: {shown(model_folder(manifest.name))} ({in_units(manifest.size)})")
