"""How an error says that a picture is not whole."""

from core.errors import PictureUndecodable

__all__ = ["truncated"]


def truncated(share: float, what: str = "rows are there") -> PictureUndecodable:
    """Return the error for a picture that has only `share` of its rows, 0..1. It never says 100 %."""
    return PictureUndecodable(f"truncated: {min(int(share * 100), 99)} % of its {what}")
