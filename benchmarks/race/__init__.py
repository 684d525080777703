"""Sightline side by side with rclip: the same pictures, the same architecture, random weights, in turns.

    python -m benchmarks.race
    python -m benchmarks.race --int8
    python -m benchmarks.race --rclip ~/rclip-env/bin/python --json race.json

See benchmarks/README.md for what is measured.

    photos      the pictures
    models      the random weights, for both programs
    programs    how each of them indexes and searches
    rounds      what they do in turns, and the figures of each
    tables      how figures are printed
"""
