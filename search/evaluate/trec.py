"""Relevance judgements (qrels) and rankings (runs), in memory and in TREC files.

    qrels   query 0 document grade
    run     query Q0 document rank score tag

Fields are separated by ASCII white space, as in trec_eval; a no-break or ideographic space is part of an id. In ids,
white space, `%` and bytes that are not UTF-8 are percent-encoded as in a URL (`%20`), and decoded when they are read.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias, TypeVar
from urllib.parse import unquote

import numpy as np

from core.errors import EvaluationError
from search.evaluate.ranks import Ranks
from search.evaluate.text_files import FilePosition, read_lines, write_lines

__all__ = [
    "Qrels",
    "Run",
    "RunLine",
    "align_documents",
    "decode_id",
    "invert_qrels",
    "qrels_lines",
    "rank_run",
    "read_qrels",
    "read_run",
    "read_run_lines",
    "relevant_documents",
    "write_qrels",
    "write_run",
]

Qrels: TypeAlias = Mapping[str, Mapping[str, int]]
"""Query id -> {document id: grade}. A grade above 0 is relevant, a higher grade is better. A document that is not
listed is not relevant."""

Run: TypeAlias = Mapping[str, Mapping[str, float]]
"""Query id -> {document id: score}. The highest score is ranked first."""

Number = TypeVar("Number", int, float)

_BLANKS = " \t\v\f\r"
_FIELD_GAP = re.compile(rf"[{_BLANKS}]+")
_GRADE = re.compile(r"([+-]?[0-9]+)(?:\.0*)?")

_QRELS_FIELDS = ("query", "0", "document", "grade")
_RUN_FIELDS = ("query", "Q0", "document", "rank", "score", "tag")


def relevant_documents(qrels: Qrels, query: str) -> dict[str, int]:
    """Return the documents with a grade above 0; empty for a query without judgements."""
    return {document: grade for document, grade in qrels.get(query, {}).items() if grade > 0}


def invert_qrels(qrels: Qrels) -> dict[str, dict[str, int]]:
    """Return the same judgements with documents as queries: document id -> {query id: grade}."""
    inverted: dict[str, dict[str, int]] = {}
    for query, judged in qrels.items():
        for document, grade in judged.items():
            inverted.setdefault(document, {})[query] = grade
    return inverted


def read_qrels(path: Path | str) -> dict[str, dict[str, int]]:
    """Read judgements: query id -> {document id: grade}.

    Raises `DatasetError` for a file or a line that cannot be read, and for a document that is judged twice.
    """
    qrels: dict[str, dict[str, int]] = {}
    for position, (query, _, document, grade) in _read_fields(Path(path), _QRELS_FIELDS):
        number = _GRADE.fullmatch(grade)
        if number is None:
            raise position.error(f"the grade {grade!r} is not a whole number")
        _add(qrels, query, document, int(number[1]), position)
    return qrels


def read_run(path: Path | str) -> dict[str, dict[str, float]]:
    """Read a ranking: query id -> {document id: score}. As in trec_eval the scores decide, not the ranks in the file.

    Raises `DatasetError` for a file or a line that cannot be read, and for a document that is ranked twice.
    """
    run: dict[str, dict[str, float]] = {}
    for line in read_run_lines(path):
        line.add_to(run)
    return run


class RunLine(NamedTuple):
    """A line of a run. The ids are percent-encoded as in the file; `rank` is any text."""

    position: FilePosition
    query: str
    document: str
    rank: str
    score: float

    def add_to(self, run: dict[str, dict[str, float]]) -> None:
        """Add the score to a run. Raises `DatasetError` for a document that the run has already."""
        _add(run, self.query, self.document, self.score, self.position)


def read_run_lines(path: Path | str) -> Iterator[RunLine]:
    """Yield the lines of a run. Raises `DatasetError` for a file or a line that cannot be read."""
    for position, (query, _, document, rank, score, _) in _read_fields(Path(path), _RUN_FIELDS):
        try:
            number = float(score)
        except ValueError as exc:
            raise position.error(f"the score {score!r} is not a number") from exc
        if not np.isfinite(number):
            raise position.error(f"the score {score!r} is not finite; remove the line, which ranks nothing")
        yield RunLine(position, query, document, rank, number)


def decode_id(name: str) -> str:
    """Return an id of a TREC file without percent-encoding."""
    return unquote(name, errors="surrogateescape")


def align_documents(run: Run, qrels: Qrels) -> tuple[Run, int]:
    """Return `run` with the spelling of `qrels` for ids that differ from it only in Unicode normalization.

    File names are decomposed (NFD) on macOS and usually composed (NFC) elsewhere. An id that matches several, or whose
    own spelling was judged or ranked, is left alone. Also returns the number of ids that were changed.
    """
    aligned, changed = dict[str, Mapping[str, float]](), 0
    for query, scores in run.items():
        judged = qrels.get(query, {})
        spelling = _spellings(judged.keys() - scores.keys())
        candidates = _spellings(scores.keys() - judged.keys()) if spelling else {}
        names = {candidates[form]: spelling[form] for form in spelling.keys() & candidates.keys()}
        changed += len(names)
        aligned[query] = {names.get(name, name): score for name, score in scores.items()} if names else scores
    return aligned, changed


def write_qrels(path: Path | str, qrels: Qrels) -> None:
    """Write all judgements. Raises `EvaluationError` if the file cannot be written."""
    write_lines(path, qrels_lines(qrels))


def qrels_lines(qrels: Qrels) -> Iterator[str]:
    """Yield the lines of a qrels file."""
    for query, judged in qrels.items():
        for document, grade in judged.items():
            yield f"{_quote(query)} 0 {_quote(document)} {grade}"


def write_run(path: Path | str, run: Run, tag: str = "sightline") -> None:
    """Write the documents of each query, best first; equal scores by id.

    Raises `EvaluationError` if the file cannot be written.
    """
    write_lines(path, _run_lines(run, _quote(tag)))


def rank_run(run: Run, qrels: Qrels, queries: Sequence[str] | None = None) -> list[Ranks]:
    """Return the ranks of the relevant documents of each query; of all judged queries unless `queries` are given.

    Ties count against the run, in the order that is worst for every metric. Queries that are missing from the run and
    documents that it does not rank get an infinite rank.
    """
    return [
        _rank(run.get(query, {}), relevant_documents(qrels, query)) for query in (qrels if queries is None else queries)
    ]


def _rank(scores: Mapping[str, float], relevant: Mapping[str, int]) -> Ranks:
    """Rank = 1 + irrelevant documents that score at least as much + relevant documents placed before."""
    others = np.sort(np.array([score for document, score in scores.items() if document not in relevant]))
    placed = sorted((-scores[document], grade) for document, grade in relevant.items() if document in scores)
    above = len(others) - np.searchsorted(others, [-negative for negative, _ in placed], side="left")
    ranks = [float(1 + count + before) for before, count in enumerate(above)]
    absent = [grade for document, grade in relevant.items() if document not in scores]
    return Ranks.of([*ranks, *[np.inf] * len(absent)], [*(grade for _, grade in placed), *absent])


def _spellings(names: Iterable[str]) -> dict[str, str]:
    """Return NFC -> name for the names that are not ASCII and share their NFC form with no other."""
    by_form: dict[str, list[str]] = {}
    for name in names:
        if not name.isascii():
            by_form.setdefault(unicodedata.normalize("NFC", name), []).append(name)
    return {form: same[0] for form, same in by_form.items() if len(same) == 1}


def _run_lines(run: Run, tag: str) -> Iterator[str]:
    for query, scores in run.items():
        ordered = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
        for rank, (document, score) in enumerate(ordered, start=1):
            yield f"{_quote(query)} Q0 {_quote(document)} {rank} {float(score)!r} {tag}"


def _read_fields(path: Path, names: Sequence[str]) -> Iterable[tuple[FilePosition, list[str]]]:
    for position, line in read_lines(path):
        fields = _FIELD_GAP.split(line.strip(_BLANKS))
        if len(fields) != len(names):
            expected = f"expected {len(names)} fields ({' '.join(names)}), found {len(fields)}"
            raise position.error(f"{expected}; a blank in an id is written as %20")
        yield position, fields


def _add(
    target: dict[str, dict[str, Number]], query: str, document: str, value: Number, position: FilePosition
) -> None:
    of_query = target.setdefault(decode_id(query), {})
    name = decode_id(document)
    if name in of_query:
        raise position.error(f"duplicate document {document} for the query {query}; keep one of the lines")
    of_query[name] = value


def _quote(name: str) -> str:
    if not name:
        raise EvaluationError("TREC files cannot contain an empty id.")
    return re.sub(r"[\s%\ufeff\udc80-\udcff]", lambda char: _percent_encode(char[0]), name)


def _percent_encode(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogateescape"))
