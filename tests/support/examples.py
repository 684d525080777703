"""How many examples the most expensive generated tests try."""

import os

__all__ = ["EXAMPLES_FACTOR"]

EXAMPLES_FACTOR = int(os.environ.get("SIGHTLINE_EXAMPLES", "1"))
"""`make test-ci` tries twice as many examples as `make test`. A long search for faults sets it to 50, for example."""
