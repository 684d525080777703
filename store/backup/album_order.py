"""The order of an album after pictures of a snapshot were added to it."""

from collections import defaultdict
from collections.abc import Sequence

__all__ = ["merged_order"]


def merged_order(order: Sequence[int], added: Sequence[int]) -> list[int]:
    """Return `order` with the missing ones of `added`, each behind the one that it follows in `added`.

    Those before the first common one come first. Merging the same again changes nothing.

    >>> merged_order([7, 2, 4], [1, 2, 3, 4, 5])
    [1, 7, 2, 3, 4, 5]
    """
    present = set(order)
    behind = defaultdict[int | None, list[int]](list)
    last: int | None = None
    for each in dict.fromkeys(added):
        if each in present:
            last = each
        else:
            behind[last].append(each)
    merged = list(behind[None])
    for each in order:
        merged += [each, *behind.get(each, ())]
    return merged
