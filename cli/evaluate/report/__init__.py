"""A report as one page that needs nothing else: tables, plots, the queries that went worst, and no script."""

from cli.evaluate.report.page import page

__all__ = ["page"]
