"""Names of files, which need not be UTF-8, as text that JSON can contain."""

__all__ = ["printable"]


def printable(text: object) -> str:
    """Return `text` with bytes that are not UTF-8 written as `\\xNN`."""
    try:
        return str(text).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # unpaired surrogates, which no file name contains but a client may send
        return str(text).encode("utf-8", "backslashreplace").decode()
