"""A judgement set made by hand from one's own library: which pictures to judge, and a folder that keeps the answers.

Pooling: the first pictures of every system are judged, and what no system found counts as wrong (Sparck Jones and
van Rijsbergen, "Report on the need for and provision of an 'ideal' information retrieval test collection", 1975).
The folder is a data set in TREC's format (see `datasets.trec_files`): queries, judgements, and all pictures there were.
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from random import Random

import numpy as np

from core.errors import DatasetError, EvaluationError
from encoders.base import Encoder
from search.evaluate.text_records import read_lines
from search.evaluate.trec import qrels_lines, read_qrels
from search.evaluate.writing import write_lines
from store import Library
from store.queries import ContentRecord, describe, findable_ids
from store.spaces import index_cache
from store.spaces.registry import StoredSpace

__all__ = ["JudgementSet", "collection", "pool", "read_queries"]

ROOT = Path("/")
"""What pictures are relative to: a library may have folders anywhere."""


def read_queries(path: Path) -> dict[str, str]:
    """Id -> text, from a file with one query a line, `id<TAB>text` or only the text, which then is the id as well.

    Raises `DatasetError` for a file that cannot be read, and for an id that is there twice.
    """
    queries: dict[str, str] = {}
    for source, line in read_lines(path):
        name, tab, text = line.partition("\t")
        words = " ".join((text if tab else line).split())
        name = name.strip() if tab else words
        if not name or not words:
            raise source.wrong("a query, or id<TAB>query, was expected")
        if name in queries:
            raise source.wrong(f"the query {name!r} is there twice")
        queries[name] = words
    return queries


def collection(library: Library, spaces: Sequence[StoredSpace]) -> tuple[dict[str, str], int]:
    """The pictures that all `spaces` can find, relative to `ROOT`; and how many are called what no list can hold.

    Each path has a name to be listed under; for copies that is one name, since they share a vector.
    """
    with library.read() as connection:
        ids = reduce(np.intersect1d, [findable_ids(connection, stored) for stored in spaces])
        records = describe(connection, ids.tolist())
    pictures = [(record, _listed(record)) for record in records.values() if record.document is None]
    names = {_relative(path): name for record, name in pictures if name is not None for path in record.paths}
    return names, sum(name is None for _, name in pictures)


def pool(
    library: Library, systems: Sequence[tuple[StoredSpace, Encoder]], query: str, text: str, depth: int
) -> list[ContentRecord]:
    """The first `depth` pictures of every system, in an order that says nothing of their ranks, always the same."""
    ids: set[int] = set()
    for stored, encoder in systems:
        ranking = index_cache.load(library, stored).index.search(encoder.encode_texts([text]), depth)
        ids.update(ranking.ids[0].tolist())
    with library.read() as connection:
        records = describe(connection, sorted(ids))
    found = [record for record in records.values() if record.document is None and _listed(record)]
    Random(query).shuffle(found)
    return found


class JudgementSet:
    """The folder `path` of judgements, made if need be. Every answer is on disk before the next is asked for.

    `lang` of the queries, if it is known. Answers about pictures that are not in the library now wait in `gone.txt`,
    until they are back. Raises `DatasetError` for a folder that holds something else, and
    `EvaluationError` when it cannot be written.
    """

    def __init__(self, path: Path, lang: str | None = None) -> None:
        self.path = path
        self.grades: dict[str, dict[str, int]] = {}
        """Query -> {picture: grade}; 0 is wrong, more is right."""
        self._qrels = path / "qrels.txt"
        self._gone = path / "gone.txt"
        self._names: Mapping[str, str] = {}
        self._queries = path / (f"queries.{lang}.txt" if lang else "queries.txt")
        self._texts: dict[str, str] = {}
        try:
            path.mkdir(parents=True, exist_ok=True)
            is_ours = _is_ours(path)
        except OSError as exc:
            raise EvaluationError(f"cannot write {path}: {exc.strerror or exc}") from exc
        if not is_ours:
            raise DatasetError(path, "it holds other things than judgements; name a folder of their own")
        for file in (self._gone, self._qrels):
            if _has_lines(file):
                for query, judged in read_qrels(file).items():
                    self.grades.setdefault(query, {}).update(judged)
        if _has_lines(self._queries):
            self._texts = {name: text for name, text in read_queries(self._queries).items() if name in self.grades}

    def cover(self, queries: Mapping[str, str], names: Mapping[str, str]) -> int:
        """Notes all pictures there are to find, as `collection` names them; returns how many answers are of others.

        Raises `DatasetError` for a query that had another text when it was judged.
        """
        for name, text in queries.items():
            if self._texts.get(name, text) != text:
                raise DatasetError(self._queries, f"the query {name!r} was judged as {self._texts[name]!r}")
            if name in self.grades:
                self._texts[name] = text
        self._names = names
        write_lines(self._gone, qrels_lines(self.grades))  # all of them, in case this is cut off halfway
        write_lines(self.path / "pictures.txt", sorted(set(names.values())))
        write_lines(self.path / "root.txt", [str(ROOT)])
        self._save()
        return sum(picture not in names for judged in self.grades.values() for picture in judged)

    def grade(self, query: str, record: ContentRecord) -> int | None:
        """What was answered before, about this picture or a copy of it."""
        grades = self.grades.get(query, {})
        return next((grades[name] for name in map(_relative, record.paths) if name in grades), None)

    def judge(self, query: str, text: str, record: ContentRecord, grade: int) -> None:
        """Keeps an answer."""
        self._texts[query] = text
        self.grades.setdefault(query, {})[_relative(record.paths[0])] = grade
        self._save()

    def take_back(self, query: str, record: ContentRecord) -> None:
        """Forgets an answer."""
        self.grades[query].pop(_relative(record.paths[0]))
        if not self.grades[query]:
            del self.grades[query], self._texts[query]
        self._save()

    def _save(self) -> None:
        """The files are small; written anew each time, they are whole at every moment."""
        here: dict[str, dict[str, int]] = {}
        gone: dict[str, dict[str, int]] = {}
        for query, judged in self.grades.items():
            for picture, grade in judged.items():
                if picture in self._names and query in self._texts:
                    here.setdefault(query, {})[self._names[picture]] = grade
                else:
                    gone.setdefault(query, {})[picture] = grade
        write_lines(self._queries, [f"{name}\t{text}" for name, text in self._texts.items() if name in here])
        write_lines(self._qrels, qrels_lines(here))
        write_lines(self._gone, qrels_lines(gone))


def _is_ours(folder: Path) -> bool:
    """Whether judgements are kept there already, or nothing is: other files may have the names of ours."""
    names = {file.name for file in folder.iterdir()}
    return not names.isdisjoint(("gone.txt", "qrels.txt")) or all(name.startswith(".") for name in names)  # drafts


def _has_lines(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _listed(record: ContentRecord) -> str | None:
    """The picture's name in a list of lines, unless it is one that a line of UTF-8 cannot hold."""
    name = _relative(record.paths[0])
    try:
        name.encode()
    except UnicodeEncodeError:
        return None
    return name if name == name.strip() and name.isprintable() else None
