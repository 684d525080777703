"""Pulling models: everything about one (weights, tokenizer, configuration, preprocessing) into one folder of ours.

`resolve` makes a repository of a name, `make_plan` asks the hub what there is and says what would be fetched, `pull`
fetches it. `sightline.json` is written last: a folder that has one is complete, and what reads it needs no network.
"""

from encoders.hub.local_files import adopt
from encoders.hub.manifest import Manifest, model_folder, pulled, read_manifest
from encoders.hub.names import Source, resolve
from encoders.hub.plan import Part, Plan, make_plan
from encoders.hub.pull import Watcher, pull

__all__ = [
    "Manifest",
    "Part",
    "Plan",
    "Source",
    "Watcher",
    "adopt",
    "make_plan",
    "model_folder",
    "pull",
    "pulled",
    "read_manifest",
    "resolve",
]
