"""The list of models, which loads none of them."""

import json

import pytest
from fastapi.testclient import TestClient

from encoders.hub.manifest import Manifest, model_folder, write_manifest
from tests.support.imports import imported_modules

Models = dict[str, dict[str, object]]


def models(client: TestClient) -> Models:
    data = client.get("/api/v1/models")
    assert data.status_code == 200
    return {model["name"]: model for model in data.json()}


def test_built_in_model_is_listed_first_and_usable(shared: TestClient) -> None:
    name, mini = next(iter(models(shared).items()))
    assert name == "mini"
    assert (mini["location"], mini["licence"], mini["use"]) == ("built in", "Apache-2.0", "commercial")
    assert mini["languages"] == ["en", "zh", "de", "fr", "cs", "ar"]
    assert (mini["breadth"], mini["usable"], mini["missing"]) == (6, True, "")


def test_missing_model_lists_the_commands_to_install_it(shared: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    small = models(shared)["ViT-B-32/laion2b_s34b_b79k"]
    assert (small["location"], small["usable"], small["dim"], small["size"]) == ("recommended", False, 512, 605_200_000)
    assert str(small["missing"]).endswith("sightline models pull ViT-B-32/laion2b_s34b_b79k")
    monkeypatch.setattr("encoders.model_info.find_spec", lambda _: None)
    assert str(models(shared)["BAAI/AltCLIP"]["missing"]).startswith("pip install 'sightline[clip]'; ")


def test_downloaded_model_is_listed(shared: TestClient) -> None:
    name = "BAAI/AltCLIP-m9"
    assert models(shared)[name]["location"] == "recommended"
    folder = model_folder(name)
    folder.mkdir(parents=True)
    write_manifest(folder, Manifest(name, name, "by hand", "unknown", ()))
    (folder / "config.json").write_text(json.dumps({"projection_dim": 12}))
    pulled = models(shared)[name]
    assert (pulled["location"], pulled["dim"], "pull" in str(pulled["missing"])) == ("pulled", 12, False)


def test_models_list_the_permitted_use(shared: TestClient) -> None:
    uses = {name: model["use"] for name, model in models(shared).items()}
    assert uses["nllb-clip-base-siglip/v1"] == "non-commercial"
    assert uses["BAAI/AltCLIP"] == uses["ViT-H-14-378-quickgelu/dfn5b"] == "unknown"


def test_forbidden_models_are_not_listed(shared: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = models(shared)
    monkeypatch.setenv("SIGHTLINE_COMMERCIAL", "1")
    assert list(models(shared)) == [name for name, model in everything.items() if model["use"] == "commercial"]


def test_only_encoders_are_listed(shared: TestClient) -> None:
    assert not {"fake", "CIDAS/clipseg-rd64-refined"} & set(models(shared))


def test_listing_models_loads_none() -> None:
    found = imported_modules("import web.api.models\nassert list(web.api.models.all_models())")
    assert found & {"torch", "open_clip", "transformers", "onnxruntime", "faiss"} == set()
