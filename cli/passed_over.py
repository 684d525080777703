"""Files that were passed over, in words."""

from collections.abc import Mapping

__all__ = ["by_type"]

_MAX_TYPES = 8


def by_type(files: Mapping[str, int]) -> str:
    """Return the number of files by type: `8 psd, 3 svg, 1 without a suffix`, the most frequent types first."""
    ordered = sorted(files.items(), key=lambda item: (-item[1], item[0]))
    parts = [f"{number:,} {type_ or 'without a suffix'}" for type_, number in ordered[:_MAX_TYPES]]
    if rest := sum(number for _, number in ordered[_MAX_TYPES:]):
        parts.append(f"{rest:,} of other types")
    return ", ".join(parts)
