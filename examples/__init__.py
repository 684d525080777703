"""Worked examples and the demonstration gallery; not part of the installed packages."""
