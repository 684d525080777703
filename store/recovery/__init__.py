"""Save what can be read of a damaged catalogue, and build a new one from it.

rebuild   a new catalogue with the rows that are left
vectors   vectors that index files have copies of
recover   the whole: lock, rebuild, swap
report    what was saved, and what is gone
"""

from store.recovery.recover import Recovery, recover
from store.recovery.report import describe

__all__ = ["Recovery", "describe", "recover"]
