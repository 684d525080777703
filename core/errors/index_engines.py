"""Errors about engines on servers that rank vectors."""

from core.errors.base import SightlineError

__all__ = ["IndexEngineUnavailable"]


class IndexEngineUnavailable(SightlineError):
    """The index engine `engine` (its address without a password) cannot be used; `reason` says why."""

    def __init__(self, engine: str, reason: str) -> None:
        super().__init__(f"The index engine {engine} cannot be used: {reason.rstrip('.')}.")
        self.engine, self.reason = engine, reason
