"""How well pictures are found: ranks, measures, intervals, comparisons, data sets."""
