"""Download a model in a job, after its licence has been accepted."""

from collections.abc import Mapping
from typing import Any

from core.errors import InvalidJob, LicenceNotAccepted, UnknownModel
from encoders.hub import PullObserver, PullPlan, make_plan, pull, resolve
from encoders.licences import require_commercial
from encoders.model_catalog import MODEL_CATALOG
from indexer.summary import Progress
from store.jobs import Priority, add_job
from store.library import Library

__all__ = ["check_model_download", "download_model", "plan_download"]


def plan_download(name: str) -> PullPlan:
    """Ask the hub what the download of a model of the catalogue consists of.

    Raises `UnknownModel` for any other model, `LicenceNotAllowed`, `DownloadFailed` and `ExtraMissing`.
    """
    if name not in MODEL_CATALOG:
        raise UnknownModel(name, tuple(MODEL_CATALOG))
    plan = make_plan(resolve(name))
    require_commercial(name, " and ".join(plan.known_licences))
    return plan


def download_model(library: Library, parameters: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Download `model`, whose licence is `licence`. With `use`, then add a job that changes the library to it.

    An interrupted download is continued. Raises the errors of `plan_download`, and `LicenceNotAccepted` if the hub
    states another licence.
    """
    name = parameters["model"]
    plan = plan_download(name)
    licence = " and ".join(plan.known_licences)
    if licence != parameters["licence"]:
        raise LicenceNotAccepted(name, licence)
    manifest = pull(plan, _DownloadObserver(plan, progress))
    if parameters.get("use"):
        add_job(library, "space", {"model": name}, Priority.LOW)
    return {"model": name, "bytes": manifest.size, "revision": manifest.revision}


def check_model_download(parameters: Mapping[str, Any]) -> None:
    """Raise `InvalidJob` or `UnknownModel` for parameters that cannot be right. The hub is not asked."""
    if set(parameters) - {"model", "licence", "use"}:
        raise InvalidJob("A job that downloads a model has no parameters but `model`, `licence` and `use`.")
    if not (isinstance(parameters.get("model"), str) and isinstance(parameters.get("licence"), str)):
        raise InvalidJob("A model is required, and the name of its licence to accept it.")
    if not isinstance(parameters.get("use", False), bool):
        raise InvalidJob("`use` must be true or false.")
    if parameters["model"] not in MODEL_CATALOG:
        raise UnknownModel(parameters["model"], tuple(MODEL_CATALOG))


class _DownloadObserver(PullObserver):
    """Reports the bytes of a whole plan; the files before the current one count as complete."""

    def __init__(self, plan: PullPlan, progress: Progress) -> None:
        self._progress = progress
        self._total = plan.size
        self._before = dict[str, int]()
        done = 0
        for part in plan.parts:
            for file in part.files:
                self._before[part.target(file)] = done
                done += file.size
        self._done = 0

    def waiting(self) -> None:
        """Report that another process downloads the same model."""
        self._progress.waiting()

    def begin(self, file: str, size: int) -> None:  # noqa: ARG002 (as the protocol has it)
        """Report the files before `file` as complete."""
        self._done = self._before[file]
        self._progress.downloaded(self._done, self._total)

    def advance(self, count: int) -> None:
        """Report `count` more bytes. Raises to stop the job."""
        self._done += count
        self._progress.downloaded(self._done, self._total)
