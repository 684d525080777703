"""`sightline judge --compare`: how far two people agree."""

from pathlib import Path

from cli.output import print_json, print_text, shown
from search.evaluate.agreement import Agreement, measure_agreement
from search.evaluate.evaluation import finite
from search.evaluate.trec import Qrels, read_qrels

__all__ = ["compare_judgements"]

SHOWN_DISPUTES = 10


def compare_judgements(first: Path, second: Path, *, as_json: bool) -> None:
    """Print Cohen's kappa of two folders of judgements, or files of TREC qrels. Raises `EvaluationError`."""
    agreement = measure_agreement(_read(first), _read(second))
    if as_json:
        print_json(_record(agreement))
        return
    interval = f" ({agreement.low:.2f} to {agreement.high:.2f})" if finite(agreement.low) is not None else ""
    kappa = "not defined, because all is judged alike" if finite(agreement.kappa) is None else f"{agreement.kappa:.2f}"
    print_text(f"Cohen's kappa: {kappa}{interval}")
    print_text(
        f"Both judged {agreement.judged:,} pictures of {agreement.queries:,} queries, "
        f"and agree on {agreement.observed:.0%}."
    )
    print_text(
        f"Both right {agreement.both_right:,}, both wrong {agreement.both_wrong:,}, "
        f"right for {first.name} only {agreement.only_first:,}, for {second.name} only {agreement.only_second:,}."
    )
    for query, document in agreement.disputed[:SHOWN_DISPUTES]:
        print_text(f"  disputed: {query}: {shown(Path(document))}")
    if len(agreement.disputed) > SHOWN_DISPUTES:
        print_text(f"  ... and {len(agreement.disputed) - SHOWN_DISPUTES:,} more (--json lists all)")


def _read(path: Path) -> Qrels:
    return read_qrels(path / "qrels.txt" if path.is_dir() else path)


def _record(agreement: Agreement) -> dict[str, object]:
    return {
        "kappa": finite(agreement.kappa),
        "interval": [finite(agreement.low), finite(agreement.high)],
        "observed": agreement.observed,
        "judged": agreement.judged,
        "queries": agreement.queries,
        "both_right": agreement.both_right,
        "both_wrong": agreement.both_wrong,
        "only_first": agreement.only_first,
        "only_second": agreement.only_second,
        "disputed": [{"query": query, "picture": document} for query, document in agreement.disputed],
    }
