"""Search over HTTP."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from encoders.fake import FakeEncoder
from encoders.machine import Machine
from indexer import index
from search import Query, Searcher
from store import Library
from tests.support.web import BASE_URL, picture_id
from web import ServeSettings, create_app

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(client: TestClient) -> Ask:
    """Post a search and return the JSON of the response."""

    def post(**request: Any) -> dict[str, Any]:
        data: dict[str, Any] = client.post("/api/v1/search", json=request).json()
        return data

    return post


@pytest.fixture
def ask_shared(shared: TestClient) -> Ask:
    """Like `ask`, with the shared server."""

    def post(**request: Any) -> dict[str, Any]:
        data: dict[str, Any] = shared.post("/api/v1/search", json=request).json()
        return data

    return post


def names(answer: dict[str, Any]) -> list[str]:
    return [hit["name"] for hit in answer["hits"]]


def picture(colour: str) -> bytes:
    """Return the bytes of a picture of one colour."""
    out = io.BytesIO()
    Image.new("RGB", (20, 10), colour).save(out, "PNG")
    return out.getvalue()


def test_search_returns_the_hits_of_the_searcher(ask: Ask, indexed: Library) -> None:
    data = ask(query="red", k=3)
    hits = Searcher(indexed).search("red", k=3)
    assert [(hit["id"], hit["rank"], hit["score"]) for hit in data["hits"]] == [
        (hit.id, hit.rank, pytest.approx(hit.score)) for hit in hits
    ]
    assert (data["searched"], data["space"], data["query"], data["notices"]) == (4, "fake", "red", [])


def test_parts_have_weights_and_scores(ask: Ask, indexed: Library) -> None:
    data = ask(parts=[{"text": "red"}, {"text": "green", "weight": 0.5}], k=1)
    (wanted,) = Searcher(indexed).search(Query.of(["red"]), k=1)
    assert names(data) == ["yellow.png"]
    assert len(data["hits"][0]["parts"]) == 2
    assert wanted.score != data["hits"][0]["score"]
    away = ask(parts=[{"text": "yellow"}, {"text": "red", "weight": -0.8}], k=1)
    assert names(away) == ["green.png"]


def test_query_is_parsed_in_the_query_language(ask_shared: Ask) -> None:
    assert names(ask_shared(query="yellow -red", k=1)) == ["green.png"]
    assert names(ask_shared(query="red name:blue*")) == ["blue.png"]
    assert ask_shared(query="red -green", plain=True)["query"] == '"red -green"'


def test_look_alike_signs_are_read_and_others_are_named(ask_shared: Ask) -> None:
    assert ask_shared(query="name：“red” or name：yellow")["searched"] == 2
    assert ask_shared(query="red –blue")["query"] == 'red - "blue"'
    (notice,) = ask_shared(query="red | blue")["notices"]
    assert notice == {
        "name": "operator_is_text",
        "message": "| is read as text; `or` joins filters, and + between blanks adds a second query.",
        "data": {"word": "|"},
    }
    assert ask_shared(query="red | blue", plain=True)["notices"] == []
    (notice,) = ask_shared(query="", where="size:>10")["notices"]
    assert (notice["name"], notice["data"]) == ("size_in_bytes", {"term": "size:>10", "instead": "size:>10MB"})


@pytest.mark.parametrize(
    ("form", "fault"), [("{", "it is not JSON at line 1, column 2"), ('{"k": "many"}', "k: "), ("[" * 9999, "not JSON")]
)
def test_invalid_form_is_named_in_plain_words(shared: TestClient, form: str, fault: str) -> None:
    answer = shared.post("/api/v1/search/form", data={"request": form})
    assert answer.status_code == 400
    assert "`request` is not a valid search: " in answer.text
    assert fault in answer.text
    assert "pydantic" not in answer.text


@pytest.mark.parametrize(("files", "more"), [(51, 0), (50, 1), (26, 26), (50, 50)])
@pytest.mark.parametrize("data", [{}, {"request": "{}"}])
def test_form_with_too_many_files_is_refused(shared: TestClient, files: int, more: int, data: dict[str, str]) -> None:
    sent = [("file", ("a.png", b"x"))] * files + [("files", ("a.png", b"x"))] * more
    answer = shared.post("/api/v1/search/form", files=sent, data=data)
    if files > 50:
        assert answer.status_code == 422
    else:
        assert (answer.status_code, answer.json()["title"]) == (400, "InvalidQuery")
        assert answer.json()["detail"].startswith(f"The form has {files + more} files (limit: 50).")


def test_filters_without_a_query_list_matching_pictures(ask_shared: Ask) -> None:
    data = ask_shared(where="name:red* or name:blue*")
    assert (sorted(names(data)), data["searched"]) == (["blue.png", "red.png"], 2)
    assert {hit["score"] for hit in data["hits"]} == {None}
    assert names(ask_shared(query="red", where="name:blue*")) == ["blue.png"]


def test_empty_query_lists_all_pictures_in_pages(ask_shared: Ask) -> None:
    first = ask_shared(k=3)
    second = ask_shared(k=3, cursor=first["next"])
    assert (len(first["hits"]), len(second["hits"]), second["next"]) == (3, 1, None)
    assert len({*names(first), *names(second)}) == 4


def test_next_page_continues_after_the_last_hit(ask_shared: Ask) -> None:
    whole = names(ask_shared(query="red"))
    first = ask_shared(query="red", k=2)
    assert names(first) + names(ask_shared(query="red", k=2, cursor=first["next"])) == whole
    assert ask_shared(query="blue", k=2, cursor=first["next"])["title"] == "InvalidQuery"


def test_search_by_stored_picture(client: TestClient, ask: Ask) -> None:
    red = picture_id(client, "red.png")
    assert names(ask(parts=[{"picture": red}], k=2)) == ["red.png", "yellow.png"]
    assert names(client.get(f"/api/v1/pictures/{red}/similar", params={"k": 1}).json()) == ["red.png"]
    assert ask(parts=[{"picture": 12345}])["status"] == 400


def test_search_by_region_of_a_picture(
    client: TestClient, ask: Ask, indexed: Library, album: Path, encoder: FakeEncoder
) -> None:
    halves = Image.new("RGB", (40, 20), "blue")
    halves.paste("red", (0, 0, 20, 20))
    halves.save(album / "halves.png")
    index(indexed, [album], encoder)
    number = picture_id(client, "halves.png")
    assert names(ask(parts=[{"picture": number, "crop": [0, 0, 0.5, 1]}], k=1)) == ["red.png"]
    assert names(ask(parts=[{"picture": number, "crop": [0.5, 0, 0.5, 1]}], k=1)) == ["blue.png"]


def test_search_by_uploaded_picture(client: TestClient, ask: Ask) -> None:
    sent = client.post("/api/v1/uploads", content=picture("blue"))
    assert (sent.status_code, sent.json()["width"], sent.json()["height"]) == (201, 20, 10)
    assert names(ask(parts=[{"upload": sent.json()["id"]}], k=1)) == ["blue.png"]
    assert ask(parts=[{"upload": "unknown"}])["status"] == 404


def test_search_by_pictures_in_the_same_form(client: TestClient) -> None:
    files = [("files", ("a.png", picture("yellow"), "image/png"))]
    answer = client.post("/api/v1/search/form", data={"request": '{"parts": [{"file": 0}], "k": 1}'}, files=files)
    assert names(answer.json()) == ["yellow.png"]
    assert (
        client.post("/api/v1/search/form", data={"request": '{"parts": [{"file": 1}]}'}, files=files).status_code == 400
    )
    assert client.post("/api/v1/search/form", data={"request": "{"}, files=files).json()["title"] == "InvalidQuery"


def test_form_of_plain_fields_adds_the_picture_to_the_query(client: TestClient) -> None:
    files = {"file": ("a.png", picture("yellow"), "image/png")}
    sent = client.post("/api/v1/search/form", data={"q": "red", "where": "-name:red*", "k": "1"}, files=files).json()
    assert names(sent) == ["yellow.png"]
    assert [(part["title"], part["kind"], part["weight"]) for part in sent["parts"]] == [
        ("red", "text", 1.0),
        ("", "picture", 1.0),
    ]
    assert "/" not in sent["query"]  # not the path of the upload on the server
    both = client.post("/api/v1/search/form", data={"q": "red", "request": "{}"}, files=files)
    assert both.json()["detail"] == "A form has either `request` or `q`, not both."
    unknown = client.post("/api/v1/search/form", data={"query": "red"}, files=files)
    assert (unknown.status_code, unknown.json()["title"]) == (422, "InvalidRequest")
    assert unknown.json()["hint"] == "The fields are request, file, files, q, where, k, sort."


def test_search_by_address_equals_the_posted_search(shared: TestClient, ask_shared: Ask) -> None:
    asked = {"q": "red + 0.5:green", "where": "-name:blue*", "k": "2", "sort": "date", "fold": "false"}
    found = shared.get("/api/v1/search", params=asked).json()
    posted = ask_shared(query="red + 0.5:green", where="-name:blue*", k=2, sort="date", fold=False)
    assert {**found, "milliseconds": 0} == {**posted, "milliseconds": 0}
    assert len(found["hits"]) == 2
    first = shared.get("/api/v1/search?q=red&k=2").json()
    second = shared.get("/api/v1/search", params={"q": "red", "k": 2, "cursor": first["next"]}).json()
    assert names(first) + names(second) == names(ask_shared(query="red", k=4))
    assert shared.get("/api/v1/search").json()["searched"] == 4  # like POST, all pictures without a query
    assert names(shared.get("/api/v1/search", params={"q": "red -green", "plain": "1", "k": "1"}).json())


def test_contributions_of_the_parts_add_up_to_the_score(ask_shared: Ask, encoder: FakeEncoder) -> None:
    (hit,) = ask_shared(query="red + 0.5:blue - 0.25:green", k=1)["hits"]
    weights, vectors = np.array([1, 0.5, -0.25]), encoder.encode_texts(["red", "blue", "green"])
    length = np.linalg.norm(weights @ vectors)
    assert hit["contributions"] == pytest.approx((weights * hit["parts"] / length).tolist(), abs=1e-5)
    assert sum(hit["contributions"]) == pytest.approx(hit["score"], abs=1e-5)
    assert ask_shared(query="red", k=1)["hits"][0]["contributions"] is None


def test_weak_language_is_named_with_a_better_model(ask_shared: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.language_advice.this_machine", lambda: Machine(16 * 2**30, has_gpu=False))
    monkeypatch.delenv("SIGHTLINE_COMMERCIAL", raising=False)
    (notice,) = ask_shared(query="ein Hund spielt im Schnee")["notices"]
    assert notice["name"] == "weak_language_available"
    assert notice["data"] == {
        "language": "de",
        "model": "fake",
        "better": "ViT-B-16-SigLIP2/webli",
        "title": "ViT-B-16-SigLIP2/webli",
        "licence": "Apache-2.0",
        "use": "commercial",
    }
    assert ask_shared(query="a dog plays in the snow")["notices"] == []


def test_search_by_vector(ask_shared: Ask, encoder: FakeEncoder) -> None:
    vector = (7 * encoder.encode_texts(["blue"])[0]).tolist()
    assert names(ask_shared(parts=[{"vector": vector}], k=1)) == ["blue.png"]
    assert ask_shared(parts=[{"vector": vector[:-1]}])["title"] == "InvalidQuery"
    assert ask_shared(parts=[{"vector": np.zeros(13).tolist()}])["title"] == "InvalidQuery"


def test_search_in_a_named_space(ask_shared: Ask) -> None:
    assert names(ask_shared(query="red", space="fake", k=1)) == ["red.png"]
    assert ask_shared(query="red", space="other")["title"] == "UnknownSpace"


@pytest.mark.parametrize("path", ["./red.png", "/etc/passwd.png", "../x.jpg", "~/x.jpg", "red + /etc/hosts.png"])
def test_query_cannot_name_files_of_the_server(ask: Ask, path: str, album: Path) -> None:
    data = ask(query=path)
    assert (data["title"], data["status"]) == ("PictureNotUploaded", 400)
    assert "cannot be named by its path" in data["detail"]  # the same whether the file exists or not
    assert ask(query=str(album / "red.png"))["detail"] == data["detail"]


@pytest.mark.parametrize(
    "request_",
    [
        {"k": 0},
        {"k": 1001},
        {"query": "x" * 10_001},
        {"parts": [{}]},
        {"parts": [{"text": "red", "picture": 1}]},
        {"parts": [{"text": "red"}] * 51},
        {"parts": [{"text": "red", "colour": 1}]},
        {"parts": [{"picture": 2**63}]},
        {"sort": "size"},
        {"diverse": 2},
        {"nonsense": 1},
    ],
)
def test_invalid_search_requests_are_rejected(ask_shared: Ask, request_: dict[str, Any]) -> None:
    assert ask_shared(**request_)["title"] == "InvalidRequest"


@pytest.mark.parametrize(
    "request_",
    [
        {"query": "-red"},
        {"query": "year:20x3"},
        {"query": '"red'},
        {"where": "red"},
        {"parts": [{"text": " "}]},
        {"parts": [{"text": "red", "weight": 0}]},
        {"parts": [{"text": "red\x00"}]},
        {"parts": [{"picture": 1, "crop": [0, 0, 0, 0]}]},
        {"parts": [{"picture": 1, "crop": [2, 2, 1, 1]}]},
        {"parts": [{"picture": 1, "crop": [-1, 0, 1, 1]}]},
        {"query": "red", "cursor": "nonsense"},
        {"query": "red", "relevant": True},
    ],
)
def test_unanswerable_query_is_a_client_error(ask_shared: Ask, request_: dict[str, Any]) -> None:
    data = ask_shared(**request_)
    assert data["status"] == 400, data


def test_empty_library_is_reported(library: Library, settings: ServeSettings) -> None:
    with TestClient(create_app(library, settings), base_url=BASE_URL) as client:
        data = client.post("/api/v1/search", json={"query": "red"}).json()
        assert (data["title"], data["status"]) == ("NothingIndexed", 409)
        assert client.post("/api/v1/search", json={}).json()["hits"] == []


def test_new_picture_is_found_without_restart(
    client: TestClient, ask: Ask, indexed: Library, album: Path, paint: Callable[..., Path], encoder: FakeEncoder
) -> None:
    assert "cyan.png" not in names(ask(query="cyan"))
    paint(album / "cyan.png", "cyan")
    index(indexed, [album], encoder)
    assert names(ask(query="cyan", k=1)) == ["cyan.png"]


def test_searched_counts_the_pictures_that_match_the_filters(ask: Ask) -> None:
    assert ask(query="red", where="name:blue*")["searched"] == 1
    assert ask(query="red")["searched"] == 4


def test_near_duplicates_are_collapsed_and_listed(
    client: TestClient, ask: Ask, indexed: Library, tmp_path: Path, encoder: FakeEncoder
) -> None:
    folder = tmp_path / "near"
    folder.mkdir()
    noise = np.random.default_rng(7).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    photo = Image.fromarray(noise).resize((256, 256), Image.Resampling.BICUBIC)
    photo.save(folder / "large.png")
    photo.resize((200, 200)).save(folder / "small.jpg", quality=80)
    index(indexed, [folder], encoder)
    data = ask(query="red", where="name:large* or name:small*")
    assert [hit["stack"] for hit in data["hits"]] == [2]
    opened = client.get(f"/api/v1/pictures/{data['hits'][0]['id']}/stack").json()["pictures"]
    assert {picture["name"] for picture in opened} == {"large.png", "small.jpg"}
    assert len(ask(query="red", where="name:large* or name:small*", fold=False)["hits"]) == 2
    alone = client.get(f"/api/v1/pictures/{picture_id(client, 'red.png')}/stack").json()["pictures"]
    assert [picture["name"] for picture in alone] == ["red.png"]
    assert client.get("/api/v1/pictures/12345/stack").status_code == 404


def test_pictures_of_the_query_are_left_out_on_every_page(client: TestClient, ask: Ask) -> None:
    red = picture_id(client, "red.png")
    everything = {hit["id"] for hit in ask()["hits"]}
    parts = [{"picture": red}, {"text": "blue", "weight": 0.1}]
    assert ask(parts=parts)["hits"][0]["id"] == red
    found, cursor = list[int](), None
    while cursor is not None or not found:
        page = ask(parts=parts, exclude_parts=True, k=1, cursor=cursor)
        found += [hit["id"] for hit in page["hits"]]
        cursor = page["next"]
    assert sorted(found) == sorted(everything - {red})
    cropped = ask(parts=[{"picture": red, "crop": [0, 0, 0.5, 0.5]}], exclude_parts=True)
    typed = ask(query=f"like:{red}", exclude_parts=True)
    for answer in (cropped, typed):
        assert red not in {hit["id"] for hit in answer["hits"]}
        assert len(answer["hits"]) == len(everything) - 1
    assert ask(exclude_parts=True)["hits"] != []  # without a query
