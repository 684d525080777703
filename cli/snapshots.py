"""The snapshots that commands write after they changed user data."""

from cli.output import warn
from store import Library
from store.backup.records import Judgement
from store.backup.taking import take_snapshots_if_due
from store.shared_files import shared_folder

__all__ = ["keep_snapshot"]


def keep_snapshot(library: Library, *, always: bool = False) -> None:
    """Write a snapshot if it is due and anything changed since the last one. A failure is a warning.

    `always` is for commands that remove or replace user data: it is due, however large the library.
    """
    take_snapshots_if_due(library, lambda: _judgements(library), warn, always=always)


def _judgements(library: Library) -> list[Judgement]:
    if not (shared_folder(library) / "judged").exists():
        return []
    from search.evaluate.kept_judgements import read_judgements

    return read_judgements(library)
