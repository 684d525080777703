"""The kinds of jobs. `register` adds another one, for example:

    register(JobKind("count", lambda library, parameters, progress: {"pictures": count(library, progress=progress)}))

The function of a kind calls `progress.check()` between two units of work, while it holds no lock. `check` waits while
people search, and raises to stop the job: what has been written is kept, and the function is called again later, with
the same parameters, to continue. It must therefore find out itself what is left to do.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

from core.errors import InvalidJob, UnknownJobKind, UnknownRoot
from core.files import absolute
from encoders import registry
from encoders.text_recognizer import load_recognizer
from indexer.changed_folders import ChangedFolders
from indexer.filling import fill
from indexer.folders import require_present_or_known
from indexer.index_changed import index_changed
from indexer.jobs.model_download import check_model_download, download_model
from indexer.pipeline import IndexSettings, index
from indexer.summary import Progress
from indexer.texts import read_texts
from store.forget import forget
from store.jobs import Priority
from store.library import Library
from store.near_duplicates.groups import update_near_duplicate_groups
from store.roots import list_roots
from store.spaces.registry import model_space

__all__ = ["KINDS", "JobFunction", "JobKind", "register", "require_kind"]

JobFunction: TypeAlias = Callable[[Library, Mapping[str, Any], Progress], dict[str, Any]]
"""Runs a job with its parameters, and returns its summary as JSON values."""


def _take_none(parameters: Mapping[str, Any]) -> None:
    if parameters:
        raise InvalidJob(f"This kind of job has no parameter {next(iter(parameters))!r}.")


def _take_any(_library: Library, _parameters: Mapping[str, Any]) -> None:
    pass


@dataclass(frozen=True)
class JobKind:
    """A kind of job.

    Both are called before a job is queued: `check` raises an error for parameters that cannot be right, by default for
    any; `check_in` for those that are wrong in this library, by default for none. `priority` is that of a job for which
    no other one is given.
    """

    name: str
    run: JobFunction
    check: Callable[[Mapping[str, Any]], None] = _take_none
    priority: Priority = Priority.NORMAL
    check_in: Callable[[Library, Mapping[str, Any]], None] = _take_any


KINDS: dict[str, JobKind] = {}
"""All kinds by name."""


def register(kind: JobKind) -> None:
    """Add a kind of job."""
    KINDS[kind.name] = kind


def require_kind(name: str) -> JobKind:
    """Return the kind called `name`. Raises `UnknownJobKind`."""
    if name not in KINDS:
        raise UnknownJobKind(name, tuple(KINDS))
    return KINDS[name]


def _index(library: Library, parameters: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Index the given folders, by default those of the library; with `retry_failed`, only what could not be read.

    With `changed`, only these parts of a root are scanned.
    """
    folders = parameters.get("folders") or [str(root.path) for root in list_roots(library)]
    if "changed" in parameters:
        changed = ChangedFolders.from_json(parameters["changed"])
        return asdict(index_changed(library, Path(parameters["folders"][0]), changed, progress=progress))
    settings = IndexSettings(only_failed=bool(parameters.get("retry_failed")))
    return asdict(index(library, folders, settings=settings, progress=progress)) if folders else {}


def _forget(library: Library, parameters: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Remove the given folders from the library. Those that a run before an interruption removed are left out."""
    covered = {root.path for root in list_roots(library)}
    forgotten = 0
    for folder in filter(covered.__contains__, map(absolute, parameters["folders"])):
        forgotten += forget(library, folder, waiting=progress.waiting, check=progress.check)
    return {"forgotten": forgotten}


def _fill(library: Library, parameters: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Embed all pictures with a model, which then becomes the active one."""
    filled = fill(library, registry.load(parameters["model"]), progress=progress)
    return {"embedded": filled.embedded, "seconds": filled.seconds, "switched": filled.switched}


def _check_index(parameters: Mapping[str, Any]) -> None:
    if set(parameters) - {"folders", "retry_failed", "changed"}:
        raise InvalidJob("A job that indexes has no parameters but `folders`, `retry_failed` and `changed`.")
    if "changed" in parameters:
        _check_changed(parameters)
    if not isinstance(parameters.get("retry_failed", False), bool):
        raise InvalidJob("`retry_failed` must be true or false.")


def _check_changed(parameters: Mapping[str, Any]) -> None:
    if "retry_failed" in parameters or len(parameters.get("folders", ())) != 1:
        raise InvalidJob("`changed` needs the root that it belongs to as the only one of `folders`, and nothing else.")
    try:
        ChangedFolders.from_json(parameters["changed"])
    except ValueError as exc:
        raise InvalidJob(f"`changed` is not valid: {exc}.") from exc


def _require_folders(parameters: Mapping[str, Any]) -> None:
    if set(parameters) != {"folders"} or not parameters["folders"]:
        raise InvalidJob("A job that removes folders needs `folders`, and nothing else.")


def _require_present_or_known(library: Library, parameters: Mapping[str, Any]) -> None:
    for folder in parameters.get("folders") or ():
        require_present_or_known(library, Path(folder))


def _require_roots(library: Library, parameters: Mapping[str, Any]) -> None:
    known = tuple(root.path for root in list_roots(library))
    for folder in map(absolute, parameters["folders"]):
        if folder not in known:
            raise UnknownRoot(folder, known)


def _require_model(parameters: Mapping[str, Any]) -> None:
    if set(parameters) != {"model"} or not parameters["model"]:
        raise InvalidJob("A model is required.")
    registry.load(parameters["model"])


def _group(library: Library, _parameters: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Compare the pictures that have not been compared yet."""
    stored = model_space(library)
    if stored is None:
        return {}
    waiting, check = progress.waiting, progress.check
    return {"compared": update_near_duplicate_groups(library, stored, waiting=waiting, check=check)}


register(JobKind("index", _index, _check_index, check_in=_require_present_or_known))
register(JobKind("forget", _forget, _require_folders, Priority.HIGH, _require_roots))
register(JobKind("model", download_model, check_model_download, Priority.LOW))
register(JobKind("space", _fill, _require_model, Priority.LOW))


def _read_texts(library: Library, _parameters: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Read the text in the pictures that have not been read yet."""
    return asdict(read_texts(library, progress=progress))


def _require_recognizer(parameters: Mapping[str, Any]) -> None:
    _take_none(parameters)
    load_recognizer()


register(JobKind("texts", _read_texts, _require_recognizer, Priority.LOW))
register(JobKind("duplicates", _group, priority=Priority.LOW))
