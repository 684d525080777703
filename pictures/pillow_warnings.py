"""Keep Pillow from writing to standard error by itself, without the name of a file."""

import warnings

__all__ = ["ignore_pillow_warnings"]


def ignore_pillow_warnings() -> None:
    """Ignore Python warnings of Pillow in this process: metadata that is damaged, pictures that are large.

    `pictures.decode` has its own limits and error messages. Only programs call this, not the library: the filters of
    warnings belong to the application.
    """
    warnings.filterwarnings("ignore", module="PIL")
