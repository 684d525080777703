"""The root of the exceptions, and those that belong to no single part of the library."""

__all__ = [
    "AddressUnavailable",
    "ExtraMissing",
    "HomeFolderNotFound",
    "PluginError",
    "SightlineError",
    "UnsafeServerSettings",
    "first_names",
]


class SightlineError(Exception):
    """Root of all errors that Sightline raises on purpose."""


class HomeFolderNotFound(SightlineError):
    """The user has no home folder to keep data in, and the environment variable `variable` names no other place."""

    def __init__(self, variable: str) -> None:
        super().__init__(f"Your home folder cannot be determined, and {variable} is not set.")
        self.variable = variable


class ExtraMissing(SightlineError):
    """`purpose` needs a package that comes with the extra `extra`, which is not installed."""

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(f"{purpose} needs packages that are not installed: pip install 'sightline[{extra}]'")
        self.purpose, self.extra = purpose, extra


class PluginError(SightlineError):
    """A plug-in, found by its entry point, cannot be imported or has the wrong type."""

    def __init__(self, group: str, name: str, target: str, detail: str) -> None:
        super().__init__(f"Cannot use the plug-in {name!r} ({target}, entry point group {group}): {detail}")
        self.group = group
        self.name = name
        self.target = target
        self.detail = detail


class UnsafeServerSettings(SightlineError):
    """The server would be unsafe with these settings; `host` is set when it needs a token to be reachable there."""

    def __init__(self, message: str, host: str | None = None) -> None:
        super().__init__(message)
        self.host = host


class AddressUnavailable(SightlineError):
    """The server cannot listen on `host` and `port`; `reason` is the operating system's message.

    `is_in_use` says whether another program listens there.
    """

    def __init__(self, host: str, port: int, reason: str, *, is_in_use: bool) -> None:
        super().__init__(f"Cannot listen on {host}:{port}: {reason}")
        self.host, self.port, self.reason, self.is_in_use = host, port, reason, is_in_use


def first_names(names: tuple[str, ...], shown: int = 5) -> str:
    """Join the first few of `names` for a message."""
    return ", ".join(names[:shown]) + (", ..." if len(names) > shown else "")
