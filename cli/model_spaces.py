"""`sightline models use` and `sightline models drop`: the active space, and removing one."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

from cli.error_hints import describe_error
from cli.output import print_json, print_text, say_waiting, warn, warn_of_unused_gpu
from cli.progress import ProgressBar
from cli.suggestions import command
from core.errors import SightlineError, SpaceInUse, UnknownModel, UnknownSpace
from core.space import Space
from encoders import registry
from encoders.base import Encoder
from encoders.placement import Placement
from indexer import FillResult, FillSettings, fill, switch
from store import Library
from store.spaces.coverage import count_unavailable, coverage
from store.spaces.drop import forget_space, free_bytes
from store.spaces.drop import vacuum as vacuum_catalogue
from store.spaces.registry import StoredSpace, active_space, find_spaces, named_space

__all__ = ["drop_model", "use_model"]


def use_model(
    name: str,
    *,
    library: Path,
    placement: Placement,
    workers: int | None,
    activate: bool,
    accept_missing: bool,
    as_json: bool,
) -> None:
    """Embed all pictures with a model, make its space active, and print a summary."""
    settings = FillSettings(switch=activate, accept_missing=accept_missing)
    if workers is not None:
        settings = replace(settings, workers=workers)
    with Library.open(library) as opened:
        filled, before = _use(opened, name, placement, settings)
        facts = _facts(opened, filled, before)
    if as_json:
        print_json(facts)
    else:
        print_text(_summary(facts, filled.stored.space, before))


def drop_model(name: str, *, library: Path, successor: str | None, vacuum: bool, dry_run: bool, as_json: bool) -> None:
    """Remove the vectors of a model from the library; make `successor` active first, if given."""
    with Library.open(library) as opened:
        stored = named_space(opened, name)
        if successor is not None and not dry_run:
            _use(opened, successor, Placement(notify=warn_of_unused_gpu, announce=warn), FillSettings())
        if active_space(opened) == stored and not dry_run:
            raise SpaceInUse(str(stored.space), "it is the active space. Choose its successor with --use OTHER.")
        vectors = forget_space(
            opened, stored, dry_run=dry_run, waiting=say_waiting, left=lambda exc: warn(describe_error(exc))
        )
        if vacuum and not dry_run:
            with opened.exclusive(say_waiting) as writer:
                vacuum_catalogue(writer)
        free = free_bytes(opened)
    if as_json:
        print_json({"would_drop" if dry_run else "dropped": vectors, "space": str(stored.space), "free_bytes": free})
        return
    print_text(f"{'Would drop' if dry_run else 'Dropped'} {vectors:,} vectors of {stored.space}.")
    if not dry_run and not vacuum and free:
        print_text(f"The catalogue has {free / 1e6:,.1f} MB free for new data; --vacuum returns them to the disk.")


def _use(library: Library, name: str, placement: Placement, settings: FillSettings) -> tuple[FillResult, Space | None]:
    """Fill the space of a model and make it active; return the result, and the other space that was active before."""
    before = active_space(library)
    encoder, stored = _target(library, name, placement)
    with ProgressBar(f"Embedding with {name}") as progress:
        if encoder is not None:
            _warn_of_missing(library, encoder, before)
            filled = fill(library, encoder, settings, progress)
        else:
            assert stored is not None
            filled = switch(library, stored, settings, progress)
    return filled, None if before is None or before == filled.stored else before.space


def _target(library: Library, name: str, placement: Placement) -> tuple[Encoder | None, StoredSpace | None]:
    """Return the model `name`, or the library's space of that name, whose model may be missing."""
    if "?lang=" in name:
        warn("a language in a model name applies only to this run; set SIGHTLINE_MODEL_LANGUAGE for searches")
    try:
        return registry.load(name, placement), None
    except UnknownModel as unknown:
        try:
            stored = named_space(library, name)
        except UnknownSpace as exc:
            raise (unknown if type(exc) is UnknownSpace else exc) from exc
    try:
        return registry.load_for_space(stored.space, placement), stored
    except SightlineError as exc:
        warn(f"new pictures cannot be embedded in {stored.space}: {describe_error(exc)}")
        return None, stored


def _warn_of_missing(library: Library, encoder: Encoder, active: StoredSpace | None) -> None:
    """Report how many pictures the model has to embed before it replaces the active one."""
    if active is None or active.space.fingerprint == encoder.space.fingerprint:
        return
    stored = find_spaces(library, encoder.space.fingerprint)
    missing = coverage(library, stored[0]).missing if stored else coverage(library, active).pictures
    if missing:
        warn(f"{active.space} stays active until {missing:,} pictures are embedded by {encoder.space}")


def _facts(library: Library, filled: FillResult, before: Space | None) -> dict[str, Any]:
    missing = count_unavailable(library, filled.stored)
    return {
        "model": filled.stored.space.model,
        "version": filled.stored.space.version,
        "fingerprint": filled.stored.space.fingerprint,
        "answers": filled.switched or before is None,
        "pictures": filled.coverage.pictures,
        "covered": filled.coverage.embedded,
        "failed": filled.coverage.failed,
        "lacking": filled.coverage.missing,
        "missing": missing,
        "embedded": filled.embedded,
        "seconds": filled.seconds,
        "before": before.fingerprint if before else None,
        "before_model": before.model if before else None,
        "before_version": before.version if before else None,
    }


def _summary(facts: dict[str, Any], space: Space, before: Space | None) -> str:
    state = "is active" if facts["answers"] else "is ready, but not active"
    lines = [
        f"{space} {state}: it covers {facts['covered']:,} of {facts['pictures']:,} pictures, "
        f"{facts['embedded']:,} of them embedded in {facts['seconds']:.1f} s"
    ]
    if facts["lacking"]:
        lines.append(f"  {facts['lacking']:,} could not be read; the next {command('index')} tries them again")
    if facts["failed"]:
        lines.append(f"  {facts['failed']:,} could not be embedded; {command('status --failures')} lists the reasons")
    if facts["missing"]:
        lines.append(f"  {facts['missing']:,} missing pictures can be embedded when their files are back")
    if before is not None and facts["answers"]:
        # Without a version of its own, the name of a model stands for the newest weights.
        name = before.fingerprint[:12] if before.name in (space.model, space.name) else before.name
        lines.append(f"  {before.title} keeps its vectors; {command(f'models use {shlex.quote(name)}')} switches back")
    return "\n".join(lines)
