"""`sightline jobs`."""

from collections.abc import Sequence
from pathlib import Path

import click

from cli.error_hints import describe_error
from cli.output import print_json, print_text, printable, warn
from cli.paths import logical_path
from cli.suggestions import command, without_library
from core.errors import FolderNotFound, SightlineError, UnknownRoot
from core.root_files import is_folder
from indexer.folders import folder_to_index
from indexer.jobs import JobWorker, require_kind
from store import Library
from store.jobs import Action, Job, JobState, Priority, Wish, act, add_job, find_job, list_jobs

__all__ = ["act_on_jobs", "add_to_queue", "print_jobs", "run_queue"]


WISHES = {Wish.PAUSE: "pausing", Wish.CANCEL: "being cancelled"}


def print_jobs(library: Path, *, as_json: bool) -> int:
    """Print the jobs of the library; return the exit code."""
    with Library.open(library) as opened:
        jobs = list_jobs(opened)
        _print(jobs, as_json=as_json)
        _warn_if_not_run(opened)
    if not jobs:
        warn("there are no jobs")
    return 0 if jobs else 1


def add_to_queue(
    kind: str, paths: Sequence[Path], model: str | None, priority: str | None, *, library: Path, as_json: bool
) -> None:
    """Add a job to the queue, and print it."""
    found = require_kind(kind)
    if kind == "space" and model is None:
        raise click.UsageError("A job of the kind `space` changes the model: name it with --model.")
    parameters: dict[str, object] = {}
    if paths:
        parameters["folders"] = [str(folder_to_index(logical_path(path))) for path in paths]
    if model is not None:
        parameters["model"] = model
    found.check(parameters)
    if paths and not Library.exists(library):  # a library without folders would be left behind
        _require_folders(kind, paths)
    with Library.open(library, create=True) as opened:
        found.check_in(opened, parameters)
        chosen = found.priority if priority is None else Priority[priority.upper()]
        _print([add_job(opened, kind, parameters, chosen)], as_json=as_json)
        _warn_if_not_run(opened)


def _require_folders(kind: str, paths: Sequence[Path]) -> None:
    """Raise an error for folders of a job for a library that does not exist yet."""
    for folder in map(folder_to_index, map(logical_path, paths)):
        if kind == "forget":
            raise UnknownRoot(folder, ())
        if not is_folder(folder):
            raise FolderNotFound(folder)


def act_on_jobs(ids: Sequence[int], action: Action, *, library: Path, as_json: bool) -> None:
    """Pause, resume, cancel or retry jobs, and print them."""
    with Library.open(library) as opened:
        _print([act(opened, job_id, action) for job_id in ids], as_json=as_json)


def run_queue(library: Path, *, as_json: bool) -> int:
    """Run the queued jobs until none is left, and print them; return the exit code."""
    with Library.open(library) as opened:
        waiting = [job.id for job in list_jobs(opened) if job.state in (JobState.QUEUED, JobState.RUNNING)]
        worker = JobWorker(opened, describe=_describe)
        if worker.run_queue():
            warn("another process runs the jobs of this library already")
            return 2
        jobs = [find_job(opened, job_id) for job_id in waiting]
    _print(jobs, as_json=as_json)
    return 2 if any(job.state is JobState.FAILED for job in jobs) else 0


def _describe(error: SightlineError) -> tuple[str, str]:
    with without_library():  # the page shows it, and processes in other folders
        return type(error).__name__, printable(describe_error(error))


def _warn_if_not_run(library: Library) -> None:
    if any(job.state in (JobState.QUEUED, JobState.RUNNING) for job in list_jobs(library)):
        with library.job_lock_if_free() as is_free:
            if is_free:
                warn(f"no process runs these jobs now; {command('serve')} and {command('jobs run')} do")


def _print(jobs: Sequence[Job], *, as_json: bool) -> None:
    for job in jobs:
        if as_json:
            print_json({**vars(job), "priority": Priority(job.priority).name.lower()})
            continue
        words = [
            str(value) for value in job.parameters.values() for value in (value if isinstance(value, list) else [value])
        ]
        print_text(f"{job.id}  {_state(job)}  {' '.join([job.kind, *words])}")
        if job.error is not None:
            print_text(f"   {job.error}")


def _state(job: Job) -> str:
    if job.state is not JobState.RUNNING:
        return job.state
    share = "" if job.total is None else f" {job.done:,} of {job.total:,}"
    return f"{WISHES[job.wish] if job.wish is not None else job.phase}{share}"
