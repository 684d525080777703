"""Pixels and words to unit vectors: the encoder seam, its preprocessing, and the models behind it."""
