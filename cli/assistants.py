"""`sightline mcp`."""

from pathlib import Path

from core.errors import ExtraMissing
from store import Library

__all__ = ["run_mcp_server"]


def run_mcp_server(library: Path, *, allow_changes: bool) -> None:
    """Serve a library to an assistant until standard input ends."""
    try:  # the packages of the extra may be missing
        from web.mcp import run
    except ImportError as exc:
        raise ExtraMissing("The server for assistants", "mcp") from exc
    with Library.open(library) as opened:
        run(opened, allow_changes=allow_changes)
