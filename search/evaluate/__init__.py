"""Evaluation of retrieval: ranks, metrics, confidence intervals, significance tests and data sets.

    from search.evaluate import evaluate

    for evaluation in evaluate("captions.jsonl", library):
        print(evaluation.as_dict())

`scoring` computes an `Evaluation` from vectors, or from a ranking, and judgements. `compare` tests the difference of
two evaluations, and `baseline` saves them. Only `gallery`, `systems`, `library_evaluation` and `judgement_set` use
libraries and models; the other modules work on vectors, ids and judgements.
"""

from typing import TYPE_CHECKING

from core.lazy import lazy_exports

if TYPE_CHECKING:
    from search.evaluate.evaluation import Evaluation
    from search.evaluate.library_evaluation import evaluate

__all__ = ["Evaluation", "evaluate"]

# The server needs only `judgement_set`.
if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_exports(
        __name__, {"Evaluation": "search.evaluate.evaluation", "evaluate": "search.evaluate.library_evaluation"}
    )
