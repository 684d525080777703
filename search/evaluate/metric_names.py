"""Names of metrics as people and other tools write them, and the names that are similar to an unknown one.

    R@5, recall@5, recall_at_5, R5, hit@5, hit_rate@5, success_5, Success@5    recall@5: any hit among the first 5
    acc1, acc@5, top5, accuracy@1                                           recall@1, recall@5 of a classification
    recall_5, fraction_recall@5, fraction R@5                               fraction_recall@5
    MRR, RR, recip_rank, mrr@10, RR@10                                      mrr, mrr@10
    P@5, P_5, Prec@5, precision@5                                           p@5
    mAP, AP, map_cut_10, map@10                                             map, map@10
    nDCG@10, ndcg_cut_10, ndcg_cut.10                                       ndcg@10
    MedR, MdR, median rank, MeanR, MnR, mean rank                           median_rank, mean_rank

`recall_5` with an underscore is trec_eval's spelling of the fraction. `R@5` is any hit, as in the literature on CLIP.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["read_metric_name", "similar_names", "split_metric_names"]

_NAME = re.compile(r"(?P<family>[a-z]+(?:_[a-z]+)*)(?:(?P<sign>[@._]?)(?P<k>[1-9][0-9]{0,8}))?")

_FAMILIES = {
    "recall": ("r", "hit", "hits", "hit_rate", "hr", "success", "acc", "accuracy", "top"),
    "fraction_recall": ("fraction_r",),
    "mrr": ("rr", "recip_rank", "mean_reciprocal_rank"),
    "p": ("prec", "precision"),
    "map": ("ap", "map_cut", "mean_average_precision"),
    "ndcg": ("ndcg_cut",),
    "median_rank": ("medr", "mdr", "median_r", "med_r"),
    "mean_rank": ("meanr", "mnr", "mean_r"),
}
_SYNONYMS = {synonym: family for family, synonyms in _FAMILIES.items() for synonym in synonyms}

_TREC_EVAL = {("recall", "_"): "fraction_recall", ("recall", "."): "fraction_recall"}
"""Families that trec_eval calls otherwise, by the sign between the name and k."""


def read_metric_name(name: str) -> tuple[str, int | None]:
    """Return the family of a metric and its k, None without one: `("recall", 5)` for `R@5`.

    The family of a name that is not understood is not one of the known families.
    """
    plain = re.sub(r"\s+|(?<=[a-z])-(?=[a-z])", "_", name.strip().lower())
    match = _NAME.fullmatch(re.sub(r"_?@_?|[_-]at[_-]?(?=[0-9])", "@", plain))
    if match is None:
        return "", None
    family, k = match["family"], match["k"]
    family = _TREC_EVAL.get((family, match["sign"] or ""), _SYNONYMS.get(family, family))
    return family, int(k) if k else None


def split_metric_names(text: str) -> list[str]:
    """Return the names in a list separated by commas; a number alone is another k: `R@1,5` is `R@1` and `R@5`."""
    names: list[str] = []
    for part in (part.strip() for part in text.split(",")):
        if part.isdecimal() and names and (stem := re.sub(r"[0-9]+$", "", names[-1])) != names[-1]:
            names.append(stem + part)
        elif part:
            names.append(part)
    return names


def similar_names(name: str, whole: Iterable[str], families: Iterable[str]) -> tuple[str, ...]:
    """Return the names of metrics that are similar to an unknown one, the most similar first; with its k.

    `whole` are the metrics of the whole ranking, `families` those of the first k results.
    """
    family, k = read_metric_name(name)
    word = family or re.sub(r"[^a-z]+", "_", name.lower()).strip("_")
    with_depth, without = set(families), set(whole)
    spellings = {known: known for known in with_depth | without} | _SYNONYMS
    near = dict.fromkeys(spellings[match] for match in get_close_matches(word, spellings, n=5, cutoff=0.6))
    found = []
    for one in near:
        if one in with_depth and (k is not None or one not in without):
            found.append(f"{one}@{10 if k is None else k}")
        else:
            found.append(one)
    return tuple(found[:3])
