"""Judgements made while looking: a data set that `sightline eval` reads, in a folder beside the catalogue.

Other servers, and `sightline judge`, may write to it too: what is in the folder counts, and one at a time changes it.
"""

from collections.abc import Mapping
from pathlib import Path
from threading import Lock

from filelock import FileLock

from search.evaluate.judgement_set import JudgementSet, collection
from store.library import Library
from store.queries import ContentRecord, describe
from store.spaces.registry import list_spaces
from web.errors import NotAllowed, NotThere

__all__ = ["Judging"]


class Judging:
    """What was judged of one library. Safe between threads and processes."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = FileLock(library.path / "judged.lock", thread_local=False)
        self._turn = Lock()
        self._names: Mapping[str, str] = {}
        self._revision: int | None = None

    @property
    def folder(self) -> Path:
        """Where the judgements are kept."""
        return self._library.path / "judged"

    def grades(self, query: str, ids: list[int]) -> dict[int, int]:
        """What was said of some pictures, as answers to `query`."""
        if not self.folder.exists():
            return {}
        with self._library.read() as connection:
            records = describe(connection, ids)
        judged = JudgementSet(self.folder)
        said = {record.id: judged.grade(_one_line(query), record) for record in records.values() if _is_file(record)}
        return {each: grade for each, grade in said.items() if grade is not None}

    def judge(self, query: str, picture_id: int, grade: int | None) -> None:
        """Keeps an answer, or forgets it (None). Raises `NotThere` for an unknown picture."""
        text, record = _one_line(query), self._record(picture_id)
        with self._turn, self._lock:
            judged = JudgementSet(self.folder)
            judged.cover({text: text}, self._listed())
            if grade is not None:
                judged.judge(text, text, record, grade)
            elif judged.grade(text, record) is not None:
                judged.take_back(text, record)

    def _listed(self) -> Mapping[str, str]:
        """All pictures there are to find, as they were named when the library last changed."""
        revision = self._library.revision()
        if revision != self._revision:
            self._names, _ = collection(self._library, [stored for stored, _, _ in list_spaces(self._library)])
            self._revision = revision
        return self._names

    def _record(self, picture_id: int) -> ContentRecord:
        with self._library.read() as connection:
            record = describe(connection, [picture_id]).get(picture_id)
        if record is None:
            raise NotThere
        if not _is_file(record):
            raise NotAllowed("a document has no file, and a data set is of files")
        return record


def _is_file(record: ContentRecord) -> bool:
    return record.document is None


def _one_line(query: str) -> str:
    return " ".join(query.split())
