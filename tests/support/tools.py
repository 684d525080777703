"""Programs that some tests need and that are not Python packages, such as a browser."""

import os
from typing import NoReturn

import pytest

__all__ = ["NOT_RUN", "miss"]

NOT_RUN = "not run without"
"""How the reason of such a skipped test begins. The summary of a run lists these tests separately."""


def miss(tool: str, reason: str) -> NoReturn:
    """Skip the test because `tool` is missing, or fail if the environment says that it must be there.

    `SIGHTLINE_REQUIRED_TOOLS` lists such tools, separated by commas. `.ci/run` sets it to those that it installed.
    """
    if tool in os.environ.get("SIGHTLINE_REQUIRED_TOOLS", "").split(","):
        pytest.fail(f"{tool} is required here: {reason}")
    pytest.skip(f"{NOT_RUN} {tool}: {reason}")
