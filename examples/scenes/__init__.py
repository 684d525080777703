"""Flat-art scenes painted by code, with captions in six languages.

    scene = random_scene(7)
    render(scene).save("seven.png")
    captions(scene)["de"]

Nothing here is read from files or the network: pictures and captions belong to the project.
"""

from examples.scenes.captions import captions
from examples.scenes.compose import random_scene
from examples.scenes.render import masks, render
from examples.scenes.scene import Scene, Subject

__all__ = ["Scene", "Subject", "captions", "masks", "random_scene", "render"]
