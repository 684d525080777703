"""A preprocessing that misbehaves, for tests of reader processes, which import it from here."""

import os
import signal
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from encoders.preprocess import Preprocess

__all__ = ["EXITS", "HANGS", "KILLED", "RAISES", "SEGFAULTS", "SLOW", "SLOW_SECONDS", "Misbehaving"]

SEGFAULTS, KILLED, EXITS, HANGS, RAISES, SLOW = range(61, 67)
"""Widths of pictures."""

SLOW_SECONDS = 0.5


@dataclass(frozen=True)
class Misbehaving(Preprocess):
    """Ends, stops or fails at pictures of certain widths."""

    def pixels(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return the pixels of a picture that has none of these widths."""
        if image.width == SEGFAULTS:
            os.kill(os.getpid(), signal.SIGSEGV)
        elif image.width == KILLED:
            os.kill(os.getpid(), signal.SIGKILL)
        elif image.width == EXITS:
            os._exit(3)
        elif image.width == HANGS:
            time.sleep(600)
        elif image.width == SLOW:
            time.sleep(SLOW_SECONDS)
        elif image.width == RAISES:
            raise LookupError("a bug")
        return super().pixels(image)
