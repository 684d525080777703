"""How many processor cores this process may use, which in a container is often fewer than the machine has."""

import os
from contextlib import suppress
from pathlib import Path

__all__ = ["available_cores"]

_CGROUPS = Path("/sys/fs/cgroup")


def available_cores(cgroups: Path = _CGROUPS, membership: Path = Path("/proc/self/cgroup")) -> int:
    """Return the number of cores that this process may use, at least 1.

    It is limited by the affinity mask of the process and, on Linux, by the quota of its control group and of those
    above it ("cpu.max" of cgroup v2, "cpu.cfs_quota_us" of v1). Part of a core counts as a whole one.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = [quota for folder in _folders(cgroups, membership) if (quota := _quota(folder)) is not None]
    return max(1, min([allowed, *(int(-(-quota // 1)) for quota in quotas)]))


def _folders(cgroups: Path, membership: Path) -> list[Path]:
    """Return the folders of the control groups of this process and of those above, as far as they are visible."""
    folders = {cgroups, cgroups / "cpu"}
    with suppress(OSError):
        for line in membership.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and "cpu" not in controllers.split(","):
                continue
            base = cgroups / "cpu" if controllers else cgroups
            group = base / path.lstrip("/")
            folders |= {group, *(parent for parent in group.parents if parent.is_relative_to(base))}
    return sorted(folders)


def _quota(folder: Path) -> float | None:
    """Return the limit of one control group in cores, or None if it has none."""
    with suppress(OSError, ValueError):
        limit, period = (folder / "cpu.max").read_text().split()
        return None if limit == "max" else int(limit) / int(period)
    with suppress(OSError, ValueError, ZeroDivisionError):
        quota = int((folder / "cpu.cfs_quota_us").read_text())
        return quota / int((folder / "cpu.cfs_period_us").read_text()) if quota > 0 else None
    return None
