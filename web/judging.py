"""Judgements made while looking: a data set that `sightline eval` reads, in a folder beside the catalogue."""

from pathlib import Path
from threading import Lock

from search.evaluate.judging import JudgementSet, collection
from store.library import Library
from store.lookup import ContentRecord, describe
from store.spaces import list_spaces
from web.problems import NotThere

__all__ = ["Judging"]


class Judging:
    """What was judged of one library. Safe between threads; two servers on one library would overwrite each other."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._judged: JudgementSet | None = None
        self._lock = Lock()

    @property
    def folder(self) -> Path:
        """Where the judgements are kept."""
        return self._library.path / "judged"

    def grades(self, query: str, ids: list[int]) -> dict[int, int]:
        """What was said of some pictures, as answers to `query`."""
        if not self.folder.exists():
            return {}
        with self._lock:
            judged = self._open()
            with self._library.read() as connection:
                records = describe(connection, ids)
            found = {each: judged.grade(_one_line(query), record) for each, record in records.items()}
        return {each: grade for each, grade in found.items() if grade is not None}

    def judge(self, query: str, picture_id: int, grade: int | None) -> None:
        """Keeps an answer, or forgets it (None). Raises `NotThere` for an unknown picture."""
        text = _one_line(query)
        with self._lock:
            record = self._record(picture_id)
            judged = self._open()
            names, _ = collection(self._library, [stored for stored, _, _ in list_spaces(self._library)])
            judged.cover({text: text}, names)
            if grade is not None:
                judged.judge(text, text, record, grade)
            elif judged.grade(text, record) is not None:
                judged.take_back(text, record)

    def _open(self) -> JudgementSet:
        if self._judged is None:
            self._judged = JudgementSet(self.folder)
        return self._judged

    def _record(self, picture_id: int) -> ContentRecord:
        with self._library.read() as connection:
            record = describe(connection, [picture_id]).get(picture_id)
        if record is None:
            raise NotThere
        return record


def _one_line(query: str) -> str:
    return " ".join(query.split())
