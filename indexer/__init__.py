"""Pictures on their way in: find them, decode them, embed them, commit them."""
