"""The HTML report: a single page without scripts or external files."""
