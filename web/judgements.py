"""Relevance judgements made on the page: a data set in the library's folder, in the format of `sightline eval`.

Other servers and `sightline judge` may write to the same folder, so each change reads it again under a lock.
"""

from collections.abc import Mapping
from pathlib import Path
from threading import Lock

from filelock import FileLock

from search.evaluate.judgement_set import JudgementSet, list_pictures
from store.library import Library
from store.queries import ContentRecord, load_content_record, load_content_records
from store.spaces.registry import list_spaces
from web.errors import NotAllowed, NotFound

__all__ = ["JudgementStore"]


class JudgementStore:
    """The judgements of one library. Safe between threads and processes."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._file_lock = FileLock(library.path / "judged.lock", thread_local=False)
        self._lock = Lock()
        self._names: Mapping[str, str] = {}
        self._revision: int | None = None

    @property
    def folder(self) -> Path:
        """The folder that contains the judgements."""
        return self._library.path / "judged"

    def grades(self, query: str, ids: list[int]) -> dict[int, int]:
        """Return the grades of some pictures for `query`, by ID; pictures without a judgement are left out."""
        if not self.folder.exists():
            return {}
        judgements = JudgementSet(self.folder)
        grades = {
            record.id: judgements.grade(_one_line(query), record)
            for record in load_content_records(self._library, ids).values()
            if _is_file(record)
        }
        return {content_id: grade for content_id, grade in grades.items() if grade is not None}

    def judge(self, query: str, picture_id: int, grade: int | None) -> None:
        """Store the grade of a picture for a query; None removes it.

        Raises `NotFound` for an unknown picture, and `NotAllowed` for a document.
        """
        text, record = _one_line(query), self._record(picture_id)
        with self._lock, self._file_lock:
            judgements = JudgementSet(self.folder)
            judgements.set_pictures({text: text}, self._collection())
            if grade is not None:
                judgements.judge(text, text, record, grade)
            elif judgements.grade(text, record) is not None:
                judgements.remove(text, record)

    def _collection(self) -> Mapping[str, str]:
        """Return all pictures that can be found, cached until the library changes."""
        revision = self._library.revision()
        if revision != self._revision:
            self._names, _ = list_pictures(self._library, [summary.stored for summary in list_spaces(self._library)])
            self._revision = revision
        return self._names

    def _record(self, picture_id: int) -> ContentRecord:
        record = load_content_record(self._library, picture_id)
        if record is None:
            raise NotFound
        if not _is_file(record):
            raise NotAllowed("A document has no file, so that it cannot be part of a data set.")
        return record


def _is_file(record: ContentRecord) -> bool:
    return record.document is None


def _one_line(query: str) -> str:
    return " ".join(query.split())
