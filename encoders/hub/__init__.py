"""Pull models: download everything about one (weights, tokenizer, configuration, preprocessing) into one folder.

`resolve` finds the repository of a name, `make_plan` asks the hub which files there are, and `pull` downloads them.
`sightline.json` is written last: a folder that has one is complete, and reading it needs no network.
"""

from encoders.hub.manifest import Manifest, model_folder, pulled_models, read_manifest
from encoders.hub.plan import ModelSource, PullPlan, RepositoryFiles, make_plan, resolve
from encoders.hub.pull import PullObserver, import_folder, pull

__all__ = [
    "Manifest",
    "ModelSource",
    "PullObserver",
    "PullPlan",
    "RepositoryFiles",
    "import_folder",
    "make_plan",
    "model_folder",
    "pull",
    "pulled_models",
    "read_manifest",
    "resolve",
]
