"""`sightline eval`: how well pictures are found, as a table, as JSON, and as a report."""
