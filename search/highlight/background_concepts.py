"""Everyday things: what a prompt is held against, so that "more like a dog than like most things" can be told."""

__all__ = ["EVERYDAY"]

EVERYDAY = (
    *("a person", "people", "a face", "a hand", "clothes"),
    *("a dog", "a cat", "a bird", "a horse", "a fish", "an insect"),
    *("a tree", "grass", "leaves", "a flower", "a forest"),
    *("a mountain", "rocks", "sand", "snow", "ice", "water", "the sea", "a river"),
    *("the sky", "clouds", "the sun", "night", "fire", "smoke"),
    *("a road", "a street", "a building", "a house", "a wall", "a window", "a door", "a roof", "a floor"),
    *("a table", "a chair", "a bed", "a lamp", "food", "a fruit", "a cup", "a book", "paper", "a sign", "a screen"),
    *("a machine", "a car", "a bicycle", "a boat", "an aeroplane", "a train", "a ball", "a toy", "a tool", "a box"),
)
"""Sixty short texts, chosen before anything was measured with them; no other list was tried."""
