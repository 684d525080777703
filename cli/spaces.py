"""`sightline models use` and `sightline models drop`: which model's space answers, and giving one up."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import json_option, library_option, placement_options

if TYPE_CHECKING:
    from cli.progress import ShownProgress
    from encoders.base import Encoder
    from encoders.placement import Placement
    from indexer import Filled
    from store import Library
    from store.spaces.registry import StoredSpace

__all__ = ["drop", "say_covered", "use"]


@click.command(
    epilog="""\b
Examples:
  sightline models use mini
  sightline models use mini --no-switch   only embed; switch another time

Searches go on being answered by the model in use until every picture is embedded by the new one; then that
one answers, at once. Stop it at any time, and run it again to go on. The vectors of the old model stay: to
go back, only pictures that came since are embedded. Where several spaces have one name, NAME is how the
fingerprint begins that `sightline status --json` shows.
"""
)
@click.argument("name")
@library_option
@placement_options
@click.option("--workers", type=click.IntRange(1, 64), help="Threads that read  [default: one a core, at most 8]")
@click.option("--no-switch", is_flag=True, help="Embed, but let the model in use go on answering.")
@click.option("--accept-missing", is_flag=True, help="Switch even if a folder is not there, or little is embedded.")
@json_option
def use(
    name: str,
    library: Path,
    placement: "Placement",
    workers: int | None,
    no_switch: bool,
    accept_missing: bool,
    as_json: bool,
) -> None:
    """Let the model NAME answer searches, once it has embedded every picture."""
    from cli.output import print_json, print_text
    from indexer import FillSettings
    from store import Library

    settings = FillSettings(switch=not no_switch, accept_missing=accept_missing)
    if workers is not None:
        settings = replace(settings, workers=workers)
    with Library.open(library) as opened:
        facts = _use(opened, name, placement, settings)
        if as_json:
            print_json(facts)
        else:
            print_text(_in_words(facts))


@click.command(
    epilog="""\b
Examples:
  sightline models drop fake
  sightline models drop mini --use fake --vacuum

Pictures stay known, and other models keep their vectors. What the dropped ones took up in the catalogue is
used for what comes next; --vacuum gives it back to the disk, for which the catalogue is written anew.
"""
)
@click.argument("name")
@library_option
@click.option("--use", "instead", metavar="OTHER", help="The model that is to answer instead, if NAME does now.")
@click.option("--vacuum", is_flag=True, help="Give the free space back to the disk.")
@click.option("--dry-run", is_flag=True, help="Only say how many vectors that would be.")
@json_option
def drop(name: str, library: Path, instead: str | None, vacuum: bool, dry_run: bool, as_json: bool) -> None:
    """Forget all vectors of the model NAME in the library; the model itself stays."""
    from cli.output import print_json, print_text, say_waiting
    from core.errors import SpaceInUse
    from encoders.placement import Placement
    from indexer import FillSettings
    from store import Library
    from store.spaces.drop import forget_space, free_bytes, give_back
    from store.spaces.registry import active_space, named_space

    with Library.open(library) as opened:
        stored = named_space(opened, name)
        if instead is not None and not dry_run:
            _use(opened, instead, Placement(notify=_say), FillSettings())
        with opened.writer_lock(say_waiting):
            active = active_space(opened)
            if active == stored and not dry_run:
                raise SpaceInUse(str(stored.space), "it answers searches; say which is to answer instead: --use OTHER")
            vectors = forget_space(opened, stored, dry_run=dry_run)
            if vacuum and not dry_run:
                give_back(opened)
            free = free_bytes(opened)
    if as_json:
        print_json({"would_drop" if dry_run else "dropped": vectors, "space": str(stored.space), "free_bytes": free})
        return
    print_text(f"{'Would drop' if dry_run else 'Dropped'} {vectors:,} vectors of {stored.space}.")
    if not dry_run and not vacuum and free:
        print_text(f"{free / 1e6:,.1f} MB are free in the catalogue for what comes next; --vacuum frees them on disk.")


def say_covered(library: "Library", stored: "StoredSpace") -> None:
    """To standard error, where a space that was asked by name does not cover every picture: how many it does."""
    from store.spaces.coverage import coverage

    with library.read() as connection:
        covered = coverage(connection, stored)
    if covered.embedded < covered.pictures and not stored.space.is_imported:
        _say(f"{stored.space} covers {covered.embedded:,} of {covered.pictures:,} pictures")


def _use(library: "Library", name: str, placement: "Placement", settings: Any) -> dict[str, Any]:
    """Fills and switches; returns what is to be said about it."""
    from cli.progress import ShownProgress
    from store.spaces.registry import active_space

    before = active_space(library)
    encoder, stored = _target(library, name, placement)
    with ShownProgress(f"Embedding with {name}") as progress:
        if encoder is None:
            filled = _switch(library, stored, settings)
        else:
            filled = _fill(library, encoder, settings, progress, before)
    return _facts(library, filled, before)


def _target(library: "Library", name: str, placement: "Placement") -> "tuple[Encoder | None, StoredSpace | None]":
    """The model called `name`, or the library's space of that name, whose model may no longer be here."""
    from core.errors import SightlineError, UnknownModel, UnknownSpace
    from encoders import registry
    from search.active_space import encoder_of
    from store.spaces.registry import named_space

    if "?lang=" in name:
        _say("a language in a name is for this run alone; SIGHTLINE_MODEL_LANGUAGE says it to searches")
    try:
        return registry.load(name, placement), None
    except UnknownModel as unknown:
        try:
            stored = named_space(library, name)
        except UnknownSpace as exc:
            raise (unknown if type(exc) is UnknownSpace else exc) from exc
    try:
        return encoder_of(stored, placement), stored
    except SightlineError as exc:
        _say(f"nothing new can be embedded in {stored.space}: {exc}")
        return None, stored


def _fill(
    library: "Library", encoder: "Encoder", settings: Any, progress: "ShownProgress", before: "StoredSpace | None"
) -> "Filled":
    from indexer import fill

    if before is not None and before.space.fingerprint != encoder.space.fingerprint:
        lacking = _lacking(library, encoder, before)
        if lacking:
            _say(f"{before.space} goes on answering until {lacking:,} pictures are embedded by {encoder.space}")
    return fill(library, encoder, settings, progress)


def _lacking(library: "Library", encoder: "Encoder", before: "StoredSpace") -> int:
    """How many pictures are to be embedded, copies counted once: all of them, where the library has no such space."""
    from store.spaces.coverage import coverage
    from store.spaces.registry import find_spaces

    with library.read() as connection:
        known = find_spaces(connection, encoder.space.fingerprint)
        return coverage(connection, known[0]).lacking if known else coverage(connection, before).pictures


def _switch(library: "Library", stored: Any, settings: Any) -> "Filled":
    """Without a model, there is nothing to embed."""
    from indexer import switch

    return switch(library, stored, settings)


def _facts(library: "Library", filled: "Filled", before: "StoredSpace | None") -> dict[str, Any]:
    from store.spaces.coverage import missing_without

    with library.read() as connection:
        missing = missing_without(connection, filled.stored)
    other = before if before is not None and before != filled.stored else None
    return {
        "model": filled.stored.space.model,
        "fingerprint": filled.stored.space.fingerprint,
        "answers": filled.switched or other is None,
        "pictures": filled.coverage.pictures,
        "covered": filled.coverage.embedded,
        "failed": filled.coverage.failed,
        "lacking": filled.coverage.lacking,
        "missing": missing,
        "embedded": filled.embedded,
        "seconds": filled.seconds,
        "before": other.space.fingerprint if other else None,
        "before_model": other.space.model if other else None,
    }


def _in_words(facts: dict[str, Any]) -> str:
    answers = "answers searches now" if facts["answers"] else "is ready; it does not answer searches yet"
    lines = [
        f"{facts['model']} ({facts['fingerprint'][:12]}) {answers}: {facts['covered']:,} of {facts['pictures']:,} "
        f"pictures, {facts['embedded']:,} of them embedded in {facts['seconds']:.1f} s"
    ]
    if facts["lacking"]:
        lines.append(f"  {facts['lacking']:,} could not be read; the next `sightline index` tries them again")
    if facts["failed"]:
        lines.append(f"  {facts['failed']:,} could not be embedded; `sightline status --failures` says why")
    if facts["missing"]:
        lines.append(f"  {facts['missing']:,} missing ones can be embedded when their files are back")
    if facts["before"] and facts["answers"]:
        other = facts["before_model"]
        back = other if other != facts["model"] else facts["before"][:12]
        lines.append(f"  {other} keeps its vectors: `sightline models use {back}` goes back")
    return "\n".join(lines)


def _say(text: str) -> None:
    click.echo(f"sightline: {text}", err=True)
