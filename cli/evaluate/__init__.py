"""The work of `sightline eval`: measuring systems and reporting the results as tables, JSON, HTML and plots."""
