"""Relevance judgements made on the page: a data set in the library's folder, in the format of `sightline eval`.

Other servers and `sightline judge` may write to the same folder, so each change reads it again under a lock.
"""

from collections.abc import Mapping
from pathlib import Path
from threading import Lock

from filelock import FileLock

from search.evaluate.judgement_influence import by_influence, judgement_influence
from search.evaluate.judgement_set import JudgementSet, list_pictures, listed_name
from store.library import Library
from store.queries import ContentRecord, load_content_record, load_content_records
from store.shared_files import shared_folder
from store.spaces.registry import list_spaces
from web.errors import NotAllowed, NotFound

__all__ = ["JudgementStore"]


class JudgementStore:
    """The judgements of one library. Safe between threads and processes."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._shared = shared_folder(library)
        self._file_lock = FileLock(self._shared / "judged.lock", thread_local=False)
        self._lock = Lock()
        self._names: Mapping[str, str] = {}
        self._revision: int | None = None

    @property
    def folder(self) -> Path:
        """The folder that contains the judgements."""
        return self._shared / "judged"

    def grades(self, query: str, ids: list[int]) -> dict[int, int]:
        """Return the grades of some pictures for `query`, by ID; pictures without a judgement are left out."""
        if not self.folder.exists():
            return {}
        judgements = JudgementSet(self.folder, self._library)
        grades = {
            record.id: judgements.grade(_one_line(query), record)
            for record in load_content_records(self._library, ids).values()
            if _can_be_judged(record)
        }
        return {content_id: grade for content_id, grade in grades.items() if grade is not None}

    def unjudged(self, query: str, ids: list[int]) -> list[int]:
        """Return those of the first results of `query` that have no judgement and can be judged.

        `ids` are in the order of the results. The first one returned is that whose judgement can change the measured
        values of this ranking most (see `search.evaluate.judgement_influence`).
        """
        records = load_content_records(self._library, ids)
        ranking = [content for content in dict.fromkeys(ids) if content in records and _can_be_judged(records[content])]
        if not self.folder.exists():
            return by_influence(ranking, judgement_influence([ranking], {}))
        judgements = JudgementSet(self.folder, self._library)
        grades = {content: judgements.grade(_one_line(query), records[content]) for content in ranking}
        known = {content: grade for content, grade in grades.items() if grade is not None}
        relevant = sum(grade > 0 for grade in judgements.grades.get(_one_line(query), {}).values())
        elsewhere = max(relevant - sum(grade > 0 for grade in known.values()), 0)
        left = [content for content in ranking if content not in known]
        return by_influence(left, judgement_influence([ranking], known, elsewhere))

    def judge(self, query: str, picture_id: int, grade: int | None) -> None:
        """Store the grade of a picture for a query; None removes it.

        Raises `NotFound` for an unknown picture, and `NotAllowed` for one that cannot be part of a data set.
        """
        text, record = _one_line(query), self._record(picture_id)
        self._shared.mkdir(parents=True, exist_ok=True)
        with self._lock, self._file_lock:
            judgements = JudgementSet(self.folder, self._library)
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
        if record.document is not None:
            raise NotAllowed("A document has no file, so that it cannot be part of a data set.")
        if not _can_be_judged(record):
            raise NotAllowed("The name of this picture is not plain text, so that it cannot be part of a data set.")
        return record


def _can_be_judged(record: ContentRecord) -> bool:
    """Return whether the picture has a file whose name can be a line of text in the data set."""
    return record.document is None and listed_name(record) is not None


def _one_line(query: str) -> str:
    return " ".join(query.split())
