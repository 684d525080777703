"""The backdrops, one painter each."""
