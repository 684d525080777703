"""Evaluation of retrieval: ranks, metrics, confidence intervals, significance tests and data sets.

    from search.evaluate import evaluate

    for evaluation in evaluate("captions.jsonl", library):
        print(evaluation.as_dict())

`scoring` computes an `Evaluation` from vectors, or from a ranking, and judgements. `compare` tests the difference of
two evaluations, and `baseline` saves them. Only `gallery`, `systems`, `library_evaluation` and `judgement_set` use
libraries and models; the other modules work on vectors, ids and judgements.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from search.evaluate.evaluation import Evaluation
    from search.evaluate.library_evaluation import evaluate

__all__ = ["Evaluation", "evaluate"]

_MODULES = {"Evaluation": "search.evaluate.evaluation", "evaluate": "search.evaluate.library_evaluation"}
"""The exports are imported when they are used: the server needs only `judgement_set`."""


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value
