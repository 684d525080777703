"""Several servers of one library in PostgreSQL, behind a balancer that sends each request to the next of them.

Each server has a folder of its own for what it derives, as if it ran on a machine of its own. They share one folder.
"""

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from PIL import Image

from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from store.migrate.migrating import migrate
from tests.support import postgres
from tests.support.postgres import PostgresServer
from tests.support.web import TOKEN
from tests.web.test_server import Server, served

pytestmark = [pytest.mark.servers, pytest.mark.processes]

NAME = "photos.example.org"
PATIENCE_SECONDS = 120
PICTURES = 24
MANY = 2_000


class Balancer:
    """Sends each request to the next server, with the name under which clients know all of them."""

    def __init__(self, *servers: Server) -> None:
        self.servers = list(servers)
        self._next = itertools.count()
        self._session = requests.Session()
        self._session.headers.update({"Host": NAME, "Authorization": f"Bearer {TOKEN}"})

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        server = self.servers[next(self._next) % len(self.servers)]
        answer = self._session.request(method, f"{server.url}{path}", timeout=60, **more)
        assert answer.status_code < 400, (method, path, answer.text)
        return answer

    def everywhere(self, path: str, **more: Any) -> list[Any]:
        """Return what each server answers to a GET request."""
        return [self.ask("GET", path, **more).json() for _ in self.servers]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="module")
def url(postgres_server: PostgresServer, folder: Path) -> Iterator[str]:
    """A library in PostgreSQL with pictures of different colours."""
    database = postgres_server.create_database()
    for number in range(PICTURES):
        path = folder / "album" / f"{number:02}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (8, 8), (number * 10, 255 - number * 10, number * 5)).save(path)
    address = postgres_server.url(database)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SIGHTLINE_LOCAL", str(folder / "indexing"))
        with Library.open(address, create=True) as library:
            index(library, [folder / "album"], FakeEncoder())
    yield address
    postgres_server.drop_database(database)


@pytest.fixture(scope="module")
def balancer(url: str, folder: Path) -> Iterator[Balancer]:
    """Two servers with different local folders and one shared folder."""
    (folder / "shared").mkdir()
    with ExitStack() as stack:
        servers = [
            stack.enter_context(
                served(
                    url,
                    *("--name", NAME, "--token", TOKEN, "--allow-folder", str(folder)),
                    SIGHTLINE_LOCAL=str(folder / f"machine-{number}"),
                    SIGHTLINE_SHARED=str(folder / "shared"),
                    XDG_CACHE_HOME=str(folder / f"machine-{number}" / "cache"),
                )
            )
            for number in (1, 2)
        ]
        yield Balancer(*servers)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def many_pictures(folder: Path) -> Path:
    """Write pictures that take some seconds to index. No other folder has the same."""
    folder.mkdir()
    encoded = BytesIO()
    Image.effect_noise((640, 480), 50).convert("RGB").save(encoded, "JPEG")
    for number in range(MANY):
        (folder / f"{number}.jpg").write_bytes(encoded.getvalue() + f"{folder.name} {number}".encode())
    return folder


def is_ready(server: Server) -> bool:
    return requests.get(f"{server.url}health/ready", timeout=60).status_code == 200


def test_servers_become_ready_without_a_name_or_a_token(balancer: Balancer) -> None:
    for server in balancer.servers:
        assert requests.get(f"{server.url}health/live", headers={"Host": "10.0.0.7"}, timeout=60).status_code == 200
        wait_until(lambda server=server: is_ready(server))  # type: ignore[misc]


def test_browser_that_was_let_in_by_one_server_is_let_in_by_the_other(balancer: Balancer) -> None:
    first, second = balancer.servers
    entered = requests.get(first.url, params={"token": TOKEN}, allow_redirects=False, timeout=60)
    (cookie,) = entered.cookies.items()
    pages = [requests.get(each.url, cookies={cookie[0]: str(cookie[1])}, timeout=60) for each in (second, first)]
    assert [page.status_code for page in pages] == [200, 200]
    assert pages[0].text == pages[1].text  # so that browsers keep images of both under one address
    assert requests.get(second.url, timeout=60).status_code == 401


def test_pages_of_a_ranking_fit_together(balancer: Balancer) -> None:
    body: dict[str, Any] = {"query": "red", "k": 5, "fold": False}
    whole = balancer.ask("POST", "api/v1/search", json=body | {"k": 100}).json()["hits"]
    assert len(whole) == PICTURES
    shown: list[Any] = []
    cursor = None
    while len(shown) < len(whole):
        page = balancer.ask("POST", "api/v1/search", json=body | {"cursor": cursor}).json()
        shown += page["hits"]
        cursor = page["next"]
    assert [(hit["id"], hit["score"]) for hit in shown] == [(hit["id"], hit["score"]) for hit in whole]
    assert cursor is None


def test_what_is_said_to_one_server_is_known_to_the_other(balancer: Balancer) -> None:
    tagged = [hit["id"] for hit in balancer.ask("POST", "api/v1/search", json={"query": "red", "k": 3}).json()["hits"]]
    for number, tag in enumerate(("Rome", "Oslo", "Bern", "Cairo"), start=1):
        balancer.everywhere("api/v1/tags")  # so that both have something to forget
        balancer.ask("POST", "api/v1/tags", json={"pictures": tagged, "tag": tag})
        for tags in balancer.everywhere("api/v1/tags"):
            assert len([each for each in tags if each["pictures"] == len(tagged)]) == number
        for facets in balancer.everywhere("api/v1/facets"):
            values = {value["value"]: value["count"] for value in facets["facets"]["tag"]}
            assert values[tag] == len(tagged)
        for found in [balancer.ask("POST", "api/v1/search", json={"where": f"tag:{tag}"}).json() for _ in range(2)]:
            assert sorted(hit["id"] for hit in found["hits"]) == sorted(tagged)
    balancer.ask("PUT", "api/v1/ratings", json={"pictures": tagged[:1], "rating": 5})
    assert {each["rating"] for each in balancer.everywhere(f"api/v1/pictures/{tagged[0]}")} == {5}


def test_upload_to_one_server_is_a_query_for_the_other(balancer: Balancer, folder: Path) -> None:
    picture = (folder / "album" / "07.png").read_bytes()
    upload = balancer.ask("POST", "api/v1/uploads", data=picture).json()["id"]
    for _ in balancer.servers:
        hits = balancer.ask("POST", "api/v1/search", json={"parts": [{"upload": upload}], "k": 1}).json()["hits"]
        assert hits[0]["name"] == "07.png"


def test_thumbnails_are_made_once(balancer: Balancer, folder: Path) -> None:
    tags = {balancer.ask("GET", "api/v1/pictures/1/thumbnail").headers["ETag"] for _ in range(4)}
    assert len(tags) == 1
    assert len(list((folder / "shared" / "thumbnails").rglob("*.webp"))) == 1
    assert not list(folder.glob("machine-*/cache/**/*.webp"))


def test_judgement_made_on_one_server_counts_on_the_other(balancer: Balancer) -> None:
    for picture, grade in ((1, 1), (2, 0), (3, 1)):
        balancer.ask("PUT", "api/v1/judgements", json={"query": "red", "picture": picture, "grade": grade})
    asked = {"query": "red", "picture": [1, 2, 3, 4]}
    assert balancer.everywhere("api/v1/judgements", params=asked) == [{"grades": {"1": 1, "2": 0, "3": 1}}] * 2


def test_job_added_on_one_server_is_seen_and_stopped_on_the_other(balancer: Balancer, folder: Path) -> None:
    """Whichever of them runs it."""
    for number, server in enumerate(balancer.servers):
        others = Balancer(*(each for each in balancer.servers if each is not server))
        body = {"kind": "index", "folders": [str(many_pictures(folder / f"cancelled-{number}"))]}
        job = Balancer(server).ask("POST", "api/v1/jobs", json=body).json()["id"]
        seen = f"api/v1/jobs/{job}"
        wait_until(lambda: others.ask("GET", seen).json()["done"] > 0)  # noqa: B023
        assert job in {each["id"] for each in others.ask("GET", "api/v1/jobs").json()}
        others.ask("POST", f"{seen}/cancel")
        wait_until(lambda: all(each["state"] == "cancelled" for each in balancer.everywhere(seen)))  # noqa: B023


def test_job_of_a_killed_server_is_continued_by_the_other(balancer: Balancer, folder: Path, url: str) -> None:
    present = balancer.ask("GET", "api/v1/status").json()["present"]
    body = {"kind": "index", "folders": [str(many_pictures(folder / "continued"))]}
    job = balancer.ask("POST", "api/v1/jobs", json=body).json()["id"]
    wait_until(lambda: balancer.ask("GET", f"api/v1/jobs/{job}").json()["done"] > 0)
    with psycopg.connect(url) as connection:
        (owner,) = connection.execute("SELECT owner FROM jobs WHERE id = %s", (job,)).fetchone() or ("",)
    (running,) = (each for each in balancer.servers if str(each.process.pid) in owner)
    os.kill(running.process.pid, signal.SIGKILL)
    running.process.communicate()
    balancer.servers.remove(running)
    wait_until(lambda: balancer.ask("GET", f"api/v1/jobs/{job}").json()["state"] == "done")
    wait_until(lambda: is_ready(balancer.servers[0]))
    status = balancer.ask("GET", "api/v1/status").json()
    assert (status["present"], status["missing"]) == (present + MANY, 0)


@pytest.fixture
def read_only_url(url: str) -> Iterator[str]:
    """The same library, for a user who may only read it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE ROLE reader LOGIN")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    yield url.replace("//sightline@", "//reader@")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP OWNED BY reader")
        connection.execute("DROP ROLE reader")


def test_user_who_may_only_read_can_serve(read_only_url: str, url: str, folder: Path) -> None:
    """As from a read replica: everything is answered, and nothing can be changed."""
    with (
        served(read_only_url, "--watch", SIGHTLINE_LOCAL=str(folder / "reading")) as reading,
        served(url, SIGHTLINE_LOCAL=str(folder / "writing")) as writing,
    ):
        wait_until(lambda: is_ready(reading))
        assert [
            (hit["id"], hit["score"]) for hit in reading.post("api/v1/search", json={"query": "red"}).json()["hits"]
        ] == [(hit["id"], hit["score"]) for hit in writing.post("api/v1/search", json={"query": "red"}).json()["hits"]]
        refused = reading.post("api/v1/tags", json={"pictures": [1], "tag": "No"})
        assert (refused.status_code, refused.json()["title"]) == (403, "LibraryReadOnly")
        assert reading.post("api/v1/jobs", json={"kind": "duplicates"}).status_code == 403
        assert reading.get("api/v1/pictures/1/thumbnail").status_code == 200
        assert reading.get("").status_code == 200
        writing.post("api/v1/tags", json={"pictures": [1], "tag": "Paris"})
        found = reading.post("api/v1/search", json={"where": "tag:Paris"}).json()["hits"]
        assert [hit["id"] for hit in found] == [1]
        code, output = reading.stop()
        assert (code in {0, -signal.SIGTERM}, "Traceback" in output) == (True, False), output


def test_server_that_loses_its_database_is_ready_again_with_it(
    indexed: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres.running_server() as database:
        address = database.url(database.create_database())
        monkeypatch.setenv("SIGHTLINE_LOCAL", str(tmp_path / "migrating"))
        with Library.open(address, create=True) as library:
            migrate(indexed, library)
        with served(address, SIGHTLINE_LOCAL=str(tmp_path / "serving")) as server:
            wait_until(lambda: is_ready(server))
            port = database.port
            database.stop()
            answer = server.get("health/ready")
            assert (answer.status_code, answer.json()["catalogue"]) == (503, "unreachable")
            assert server.get("health/live").status_code == 200
            assert server.post("api/v1/search", json={"query": "red"}).status_code == 503
            monkeypatch.setattr(postgres, "_free_port", lambda: port)
            database._launch()
            assert database._accepts_connections()
            wait_until(lambda: is_ready(server))
            assert server.post("api/v1/search", json={"query": "red"}).json()["hits"][0]["name"] == "red.png"
            assert server.post("api/v1/tags", json={"pictures": [1], "tag": "Rome"}).json()["changed"] == 1
            job = server.post("api/v1/jobs", json={"kind": "duplicates"}).json()["id"]
            wait_until(lambda: server.get(f"api/v1/jobs/{job}").json()["state"] == "done")


def test_events_of_a_job_are_sent_by_all_servers(url: str, folder: Path) -> None:
    with (
        served(url, "--no-jobs", SIGHTLINE_LOCAL=str(folder / "events")) as watching,
        served(url, SIGHTLINE_LOCAL=str(folder / "running")) as running,
    ):
        job = running.post("api/v1/jobs", json={"kind": "duplicates"}).json()["id"]
        with watching.get(f"api/v1/jobs/{job}/events", stream=True) as events:
            names = [line for line in events.iter_lines(decode_unicode=True) if str(line).startswith("event:")]
        assert names[-1] == "event: end"
        assert watching.get(f"api/v1/jobs/{job}").json()["state"] == "done"
