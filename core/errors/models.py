"""Errors about models: their names, files, devices, licences and vectors."""

from pathlib import Path

from core.errors.base import SightlineError

__all__ = [
    "BadCheckpoint",
    "BadVectors",
    "CheckpointIsSegmenter",
    "DeviceUnavailable",
    "DownloadFailed",
    "EncoderError",
    "ImportedSpaceHasNoModel",
    "LicenceNotAccepted",
    "LicenceNotAllowed",
    "ModelUnavailable",
    "UnknownModel",
    "UnknownModelOption",
]


class EncoderError(SightlineError):
    """Something is wrong with a model."""


class UnknownModel(EncoderError):
    """No model is called `name`; `known` are the names to choose from."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"Unknown model {name!r}. Choose from: {', '.join(known)}.")
        self.name, self.known = name, known


class UnknownModelOption(EncoderError):
    """The model `name` is followed by `options` (`NAME?option=value`) that no model has."""

    def __init__(self, name: str, options: str) -> None:
        super().__init__(
            f"The options {options!r} of the model {name!r} are not known. There are lang=LANGUAGE and precision=int8, "
            "each at most once, with & in between."
        )
        self.name, self.options = name, options


class ModelUnavailable(EncoderError):
    """The model `name` exists, but `missing` is not available on this machine.

    `remedy` is a sentence about what to do by hand; `pull` is the name under which the missing files can be downloaded.
    """

    def __init__(self, name: str, missing: str, remedy: str = "", *, pull: str | None = None) -> None:
        super().__init__(f"The model {name!r} needs {missing}." + (f" {remedy}" if remedy else ""))
        self.name, self.missing, self.remedy, self.pull = name, missing, remedy, pull


class ImportedSpaceHasNoModel(ModelUnavailable):
    """The space `name` was imported as vectors, so that no model can embed text or pictures for it."""

    def __init__(self, name: str) -> None:
        super().__init__(
            name,
            "an encoder",
            "Its vectors were imported, so neither text nor new pictures can be embedded.",
        )


class BadCheckpoint(EncoderError):
    """The file or folder at `path` cannot be used as a model; `fault` says why."""

    def __init__(self, path: Path, fault: str) -> None:
        super().__init__(f"{path} cannot be used as a model: {fault}")
        self.path, self.fault = path, fault


class CheckpointIsSegmenter(BadCheckpoint):
    """The folder at `path` contains a segmentation model where an encoder is needed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "it is a segmentation model, not an encoder")


class DeviceUnavailable(EncoderError):
    """This machine does not have the device or precision `name`; `fault` says why."""

    def __init__(self, name: str, fault: str) -> None:
        super().__init__(f"{name!r} cannot be used: {fault}")
        self.name, self.fault = name, fault


class DownloadFailed(EncoderError):
    """The files of the model `name` could not be downloaded because of `fault`; `remedy` says what to do by hand.

    `by_hand` is True when `remedy` describes how to collect the files in a folder, which can then be imported.
    """

    def __init__(self, name: str, fault: str, remedy: str, *, by_hand: bool = False) -> None:
        super().__init__(f"Cannot download {name!r}: {fault}. {remedy}")
        self.name, self.fault, self.remedy, self.by_hand = name, fault, remedy, by_hand


class LicenceNotAccepted(EncoderError):
    """The model `name` has the licence `licence`, which is not the one that was accepted."""

    def __init__(self, name: str, licence: str) -> None:
        super().__init__(f"The licence of {name} is {licence}, which has not been accepted.")
        self.name, self.licence = name, licence


class LicenceNotAllowed(EncoderError):
    """The licence `licence` of the model `name` is not known to allow commercial use, which is required."""

    def __init__(self, name: str, licence: str) -> None:
        super().__init__(
            f"The model {name!r} is not allowed: its licence ({licence}) is not known to permit commercial use, which "
            "is required here."
        )
        self.name, self.licence = name, licence


class BadVectors(EncoderError):
    """The encoder `name` returned vectors that cannot be ranked (wrong shape, NaN, zero length); see `fault`."""

    def __init__(self, name: str, fault: str) -> None:
        super().__init__(f"The model {name!r} returned unusable vectors: {fault}")
        self.name, self.fault = name, fault
