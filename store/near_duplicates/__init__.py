"""Near-duplicates: groups of pictures that look the same."""
