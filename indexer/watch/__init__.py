"""Index pictures as soon as they change: see changes, wait until they are complete, and index them."""

from indexer.watch.runs import DirectRuns, QueuedRuns, Runs, WatchStopped
from indexer.watch.watcher import Watcher, WatchReport, WatchSettings

__all__ = ["DirectRuns", "QueuedRuns", "Runs", "WatchReport", "WatchSettings", "WatchStopped", "Watcher"]
