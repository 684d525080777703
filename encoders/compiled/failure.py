"""Why a model has no compiled form."""

__all__ = ["NotCompilable"]


class NotCompilable(Exception):
    """A model, or the tokenizer of one, cannot be compiled; the message says why. It is never raised to users."""
