"""Which packages a piece of code imports, seen from a fresh interpreter."""

import json
import os
import subprocess
import sys

__all__ = ["imported_modules"]


def imported_modules(code: str, **environment: str) -> set[str]:
    """Return the top-level packages outside the standard library that running `code` imports."""
    script = (
        "import json, os, sys\nbefore = set(sys.modules)\n"
        f"{code}\n"
        "names = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "os.write(3, json.dumps(sorted(names - sys.stdlib_module_names)).encode())"
    )
    reader, writer = os.pipe()
    # The child reports on file descriptor 3, whichever number the pipe has here.
    done = subprocess.run(
        ["bash", "-c", f'exec 3>&{writer}; exec "$0" "$@"', sys.executable, "-c", script],
        pass_fds=[writer],
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
    )
    os.close(writer)
    with os.fdopen(reader) as report:
        text = report.read()
    assert done.returncode == 0, done.stderr.decode()
    return set(json.loads(text))
