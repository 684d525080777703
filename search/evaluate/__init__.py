"""Evaluation of retrieval: ranks, metrics, confidence intervals, significance tests and data sets.

    from search.evaluate import evaluate

    for evaluation in evaluate("captions.jsonl", library):
        print(evaluation.as_dict())

`scoring` computes an `Evaluation` from vectors, or from a ranking, and judgements. `compare` tests the difference of
two evaluations, and `baseline` saves them. Only `gallery`, `systems`, `measurement` and `judgement_set` use libraries
and models; the other modules work on vectors, ids and judgements.
"""

from search.evaluate.evaluation import Evaluation
from search.evaluate.measurement import evaluate

__all__ = ["Evaluation", "evaluate"]
