"""`sightline models pull`."""

import sys
from contextlib import nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import click
from rich import progress as bars
from rich.console import Console

from cli.output import in_units, print_text, shown, warn
from core.errors import SightlineError
from encoders.compiled.int8 import Int8Encoder
from encoders.compiled.runtime import RuntimeEncoder
from encoders.hub import Manifest, PullPlan, import_folder, make_plan, model_folder, read_manifest, resolve
from encoders.hub import pull as pull_files
from encoders.licences import describe_licence, require_commercial
from encoders.model_catalog import BUILT_IN_MODELS, MODEL_CATALOG
from encoders.placement import Placement
from encoders.registry import load, require_options, split_version

__all__ = ["PullProgressBar", "pull_model"]

MIN_ANNOUNCED_BYTES = 2**20
"""Files from this size on are announced by a line where there is no terminal."""


def pull_model(name: str, *, folder: Path | None, dry_run: bool, yes: bool, commercial: bool, update: bool) -> None:
    """Download a model, or take its files from `folder`. `?precision=int8` after its name prepares that form of it."""
    name, _, options = name.strip().partition("?")
    form = f"{name}?{options}" if options else name
    if split_version(name)[0] in BUILT_IN_MODELS:
        if options:
            load(form)
        print_text(f"{name} is built in.")
        return
    require_options(form)  # before gigabytes are downloaded
    pulled = read_manifest(model_folder(name))
    if pulled is not None and not (dry_run or update):
        require_commercial(pulled.name, pulled.licence, requested=commercial)
        print_text(f"{name} is already pulled: {shown(model_folder(name))} ({in_units(pulled.size)})")
        if options:
            _compile(form)
        return
    source = resolve(name)
    if folder is not None:
        require_commercial(name, _listed_licence(source.name), requested=commercial)
        _report_pulled(import_folder(source, folder), form)
        return
    plan = make_plan(source)
    if pulled is not None and update and pulled.revision == plan.revision:
        print_text(f"{name} has not changed since it was pulled.")
        return
    for line in _plan_lines(plan):
        click.echo(line, err=not dry_run)
    require_commercial(plan.name, " and ".join(plan.known_licences), requested=commercial)
    if dry_run or not (yes or _confirm()):
        return
    with PullProgressBar() as progress:
        manifest = pull_files(plan, progress, update=update)
    _report_pulled(manifest, form)


def _listed_licence(name: str) -> str:
    """Return the licence of a model in the model catalogue; `unknown` for others."""
    return MODEL_CATALOG[name].licence if name in MODEL_CATALOG else "unknown"


def _plan_lines(plan: PullPlan) -> list[str]:
    lines = [f"{plan.name}: {in_units(plan.size)}, into {shown(plan.folder)}"]
    for part in plan.parts:
        prefix = f"{part.folder}: " if part.folder else ""
        lines.append(f"  {prefix}{part.listing.repository} ({in_units(part.size)})")
        lines += [f"    {part.target(file)}  {in_units(file.size)}" for file in part.files]
    return [*lines, *(f"  licence: {describe_licence(licence)}" for licence in plan.known_licences)]


def _confirm() -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal for a confirmation. Use --yes to download without one.")
    return click.confirm("Download it?", default=True, err=True)


def _report_pulled(manifest: Manifest, form: str) -> None:
    print_text(f"{manifest.name} is complete: {shown(model_folder(manifest.name))} ({in_units(manifest.size)})")
    _compile(form)


def _compile(name: str) -> None:
    """Compile a pulled model, if it can be, so that its first use need not.

    Nothing here makes the pull fail, unless a form of the model was asked for.
    """
    with nullcontext() if "?" in name else suppress(SightlineError):
        encoder = load(name, Placement(announce=warn))
        if isinstance(encoder, RuntimeEncoder) and encoder.compiled() is not None:
            print_text(f"{name} is prepared for fast starts; `sightline models info {name}` has the details.")
        if isinstance(encoder, Int8Encoder):
            encoder.tower()
            print_text(f"{name} is prepared; `sightline models info '{name}'` says what it loses.")


class PullProgressBar:
    """The progress of a download of model files. Use it in a `with` statement."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar = bars.Progress(
            bars.TextColumn("{task.description}"),
            bars.BarColumn(),
            bars.DownloadColumn(),
            bars.TransferSpeedColumn(),
            bars.TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def waiting(self) -> None:
        """Report that another process is pulling the same model."""
        self._console.print("Another sightline process is pulling this model; waiting for it to finish.")

    def begin(self, file: str, size: int) -> None:
        """Start the bar of the next file."""
        self._bar.reset(self._task, description=file, completed=0, total=size)
        if not self._console.is_terminal and size >= MIN_ANNOUNCED_BYTES:
            self._console.print(f"Fetching {file} ({in_units(size)})", highlight=False, soft_wrap=True)

    def advance(self, count: int) -> None:
        """Advance the bar by `count` bytes."""
        self._bar.advance(self._task, count)
