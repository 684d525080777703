"""`sightline jobs`."""

from pathlib import Path

import click

from cli.command_types import IntegerRange
from cli.options import json_option, library_option

__all__ = ["jobs"]

_ids = click.argument("ids", nargs=-1, required=True, type=IntegerRange(min=1), metavar="ID...")


@click.group(
    no_args_is_help=True,
    epilog="""\b
Examples:
  sightline jobs list
  sightline jobs add index ~/Pictures
  sightline jobs pause 3
""",
)
def jobs() -> None:
    """Queue long work, and pause, resume or cancel it.

    `sightline serve` runs the queue in the background. Without it, `sightline jobs run` does, for example from cron.
    """


@jobs.command(
    "list",
    epilog="""\b
Examples:
  sightline jobs list
  sightline jobs list --json | jq 'select(.state == "failed")'
""",
)
@library_option
@json_option
@click.pass_context
def list_(ctx: click.Context, library: Path, as_json: bool) -> None:
    """List the running job, those that wait, and finished ones.

    Finished jobs are kept for 30 days, at most 100 of them.
    """
    from cli.jobs import print_jobs

    ctx.exit(print_jobs(library, as_json=as_json))


@jobs.command(
    short_help="Add a job to the queue.",
    epilog="""\b
Examples:
  sightline jobs add index                      all folders of the library
  sightline jobs add index ~/Pictures --priority high
  sightline jobs add space --model mini         change the model
  sightline jobs add duplicates                 compare pictures that have not been compared yet
  sightline jobs add texts                      read the text in pictures
  sightline jobs add forget /mnt/old-disk       remove a folder from the library, but no files
""",
)
@click.argument("kind")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option("--model", help="The model to change to, for a job of the kind `space`.")
@click.option(
    "--priority",
    type=click.Choice(["low", "normal", "high"]),
    help="More urgent jobs run first.  [default: normal for index, high for forget, low for others]",
)
@library_option
@json_option
def add(
    kind: str, paths: tuple[Path, ...], model: str | None, priority: str | None, library: Path, as_json: bool
) -> None:
    """Add a job of the given KIND to the queue: index, space, duplicates, texts or forget."""
    from cli.jobs import add_to_queue

    add_to_queue(kind, paths, model, priority, library=library, as_json=as_json)


@jobs.command(
    epilog="""\b
Examples:
  sightline jobs pause 3 4
"""
)
@_ids
@library_option
@json_option
def pause(ids: tuple[int, ...], library: Path, as_json: bool) -> None:
    """Pause jobs. A running one stops after its current batch, and continues from there once it is resumed."""
    _act(ids, "pause", library, as_json=as_json)


@jobs.command(
    epilog="""\b
Examples:
  sightline jobs resume 3
"""
)
@_ids
@library_option
@json_option
def resume(ids: tuple[int, ...], library: Path, as_json: bool) -> None:
    """Continue jobs that were paused."""
    _act(ids, "resume", library, as_json=as_json)


@jobs.command(
    epilog="""\b
Examples:
  sightline jobs cancel 3
"""
)
@_ids
@library_option
@json_option
def cancel(ids: tuple[int, ...], library: Path, as_json: bool) -> None:
    """Cancel jobs. What they have written is kept."""
    _act(ids, "cancel", library, as_json=as_json)


@jobs.command(
    epilog="""\b
Examples:
  sightline jobs retry 3
"""
)
@_ids
@library_option
@json_option
def retry(ids: tuple[int, ...], library: Path, as_json: bool) -> None:
    """Queue jobs again that failed or were cancelled."""
    _act(ids, "retry", library, as_json=as_json)


@jobs.command(
    short_help="Run the queued jobs in this terminal until none is left.",
    epilog="""\b
Examples:
  sightline jobs run
""",
)
@library_option
@json_option
@click.pass_context
def run(ctx: click.Context, library: Path, as_json: bool) -> None:
    """Run the queued jobs in this terminal until none is left, unless a server runs them already.

    Exit code 2 if a job failed.
    """
    from cli.jobs import run_queue

    ctx.exit(run_queue(library, as_json=as_json))


def _act(ids: tuple[int, ...], action: str, library: Path, *, as_json: bool) -> None:
    from cli.jobs import act_on_jobs
    from store.jobs import Action

    act_on_jobs(ids, Action(action), library=library, as_json=as_json)
