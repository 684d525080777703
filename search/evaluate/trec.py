"""Judgements and rankings as TREC writes them, and the evaluation of a ranking that some other program made.

    qrels   query 0 document grade
    run     query Q0 document rank score tag

Fields are parted by white space; so in ids white space, `%` and bytes that are no UTF-8 are written as in a URL
(`%20`), and read back as such.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar
from urllib.parse import unquote

import numpy as np

from core.errors import EvaluationError
from search.evaluate.qrels import Qrels, relevant_documents
from search.evaluate.ranks import Ranks
from search.evaluate.text_records import Source, read_lines
from search.evaluate.writing import write_lines

__all__ = ["Run", "qrels_lines", "rank_run", "read_qrels", "read_run", "write_qrels", "write_run"]

Run: TypeAlias = Mapping[str, Mapping[str, float]]
"""Query id -> {document id: score}; the highest score comes first."""


def read_qrels(path: Path | str) -> dict[str, dict[str, int]]:
    """Query id -> {document id: grade}.

    Raises `DatasetError` for a file or a line that cannot be read, and for a document judged twice.
    """
    qrels: dict[str, dict[str, int]] = {}
    for source, (query, _, document, grade) in _fields(Path(path), 4):
        if not re.fullmatch(r"[+-]?[0-9]+", grade):
            raise source.wrong(f"the grade {grade!r} is no whole number")
        _take(qrels, query, document, int(grade), source)
    return qrels


def read_run(path: Path | str) -> dict[str, dict[str, float]]:
    """Query id -> {document id: score}. Ranks in the file are not believed: the scores decide, as in trec_eval.

    Raises `DatasetError` for a file or a line that cannot be read, and for a document ranked twice.
    """
    run: dict[str, dict[str, float]] = {}
    for source, (query, _, document, _, score, _) in _fields(Path(path), 6):
        try:
            number = float(score)
        except ValueError as exc:
            raise source.wrong(f"the score {score!r} is no number") from exc
        if not np.isfinite(number):
            raise source.wrong(f"the score {score!r} cannot be ranked")
        _take(run, query, document, number, source)
    return run


def write_qrels(path: Path | str, qrels: Qrels) -> None:
    """Writes all judgements. Raises `EvaluationError` when the file cannot be written."""
    write_lines(path, qrels_lines(qrels))


def qrels_lines(qrels: Qrels) -> Iterator[str]:
    """The lines of such a file."""
    for query, judged in qrels.items():
        for document, grade in judged.items():
            yield f"{_quoted(query)} 0 {_quoted(document)} {grade}"


def write_run(path: Path | str, run: Run, tag: str = "sightline") -> None:
    """Writes the documents of each query, best first; equal scores by id. Raises `EvaluationError` as above."""
    write_lines(path, _run_lines(run, _quoted(tag)))


def rank_run(run: Run, qrels: Qrels, queries: Sequence[str] | None = None) -> list[Ranks]:
    """The ranks of what is relevant to each query, all that were judged unless `queries` are given.

    Ties count against the run, in the order that is worst for every measure. A query that the run leaves out, and a
    document that it does not rank, are ranked infinitely low.
    """
    return [
        _ranks(run.get(query, {}), relevant_documents(qrels, query))
        for query in (qrels if queries is None else queries)
    ]


def _ranks(scores: Mapping[str, float], relevant: Mapping[str, int]) -> Ranks:
    """A relevant document's rank is 1 + those at least as good that are not relevant + the relevant ones before it."""
    others = np.sort(np.array([score for document, score in scores.items() if document not in relevant]))
    placed = sorted((-scores[document], grade) for document, grade in relevant.items() if document in scores)
    above = len(others) - np.searchsorted(others, [-negative for negative, _ in placed], side="left")
    ranks = [float(1 + count + before) for before, count in enumerate(above)]
    absent = [grade for document, grade in relevant.items() if document not in scores]
    return Ranks.of([*ranks, *[np.inf] * len(absent)], [*(grade for _, grade in placed), *absent])


def _run_lines(run: Run, tag: str) -> Iterator[str]:
    for query, scores in run.items():
        ordered = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
        for place, (document, score) in enumerate(ordered, start=1):
            yield f"{_quoted(query)} Q0 {_quoted(document)} {place} {float(score)!r} {tag}"


def _fields(path: Path, count: int) -> Iterator[tuple[Source, list[str]]]:
    for source, line in read_lines(path):
        fields = line.split()
        if len(fields) != count:
            raise source.wrong(f"{count} fields were expected, there are {len(fields)}")
        yield source, fields


_Number = TypeVar("_Number", int, float)


def _take(into: dict[str, dict[str, _Number]], query: str, document: str, value: _Number, source: Source) -> None:
    of_query = into.setdefault(_plain(query), {})
    name = _plain(document)
    if name in of_query:
        raise source.wrong(f"the document {document} is there twice for the query {query}")
    of_query[name] = value


def _quoted(name: str) -> str:
    if not name:
        raise EvaluationError("an empty id cannot be written in TREC's format")
    return re.sub(r"[\s%\udc80-\udcff]", lambda char: _percent(char[0]), name)


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogateescape"))


def _plain(name: str) -> str:
    return unquote(name, errors="surrogateescape")
