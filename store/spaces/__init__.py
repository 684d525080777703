"""Embedding spaces: the stored vectors, the index files built from them, and filling a new space."""
