"""The files in `deploy/` name options, extras, routes and variables that exist, and their servers work together."""

import re
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import pytest
import requests
import yaml
from fastapi.testclient import TestClient

from cli.main import sightline
from core import settings
from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from tests.support.web import TOKEN

DEPLOY = Path(__file__).parents[2] / "deploy"
VALUES = {"SIGHTLINE_NAME": "photos.example.org", "SIGHTLINE_TOKEN": TOKEN, "POSTGRES_PASSWORD": "x", "PHOTOS": "/srv"}


def filled_in(value: Any) -> Any:
    """Replace `${NAME:?}` as docker compose does."""
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+):\?\}", lambda match: VALUES[match[1]], value)
    if isinstance(value, dict):
        return {name: filled_in(each) for name, each in value.items()}
    return [filled_in(each) for each in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = filled_in(yaml.safe_load((DEPLOY / "compose.yaml").read_text()))
    return content


@pytest.fixture(scope="module")
def servers(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = {name: service for name, service in compose["services"].items() if "build" in service}
    assert len(found) == 2
    return found


def test_servers_are_started_with_options_that_exist(servers: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    for service in servers.values():
        verb, *options = service["command"]
        command = sightline.get_command(click.Context(sightline), verb)
        assert command is not None
        words = [str(tmp_path) if word == "/photos" else word for word in options]  # it must exist
        command.make_context(verb, words)  # raises for an option that does not exist
        assert service["environment"]["SIGHTLINE_TOKEN"] == TOKEN  # otherwise --host 0.0.0.0 is refused


def test_variables_of_the_servers_are_known(servers: dict[str, dict[str, Any]]) -> None:
    known = {value for name, value in vars(settings).items() if name.endswith("_VARIABLE")} | {"SIGHTLINE_TOKEN"}
    environments = [service["environment"] for service in servers.values()]
    assert environments[0] == environments[1]
    assert set(environments[0]) <= known


def test_every_folder_is_on_a_volume_and_only_local_files_are_separate(
    compose: dict[str, Any], servers: dict[str, dict[str, Any]]
) -> None:
    mounts = {name: dict(each.split(":")[1::-1] for each in service["volumes"]) for name, service in servers.items()}
    first, second = mounts.values()
    differing = {folder for folder in first if first[folder] != second[folder]}
    assert (differing, set(first)) == ({"/local"}, {"/local", "/shared", "/models", "/photos"})
    folders = {value for service in servers.values() for value in service["environment"].values() if value[0] == "/"}
    assert folders <= set(first)
    named = {each.split(":")[0] for service in compose["services"].values() for each in service.get("volumes", [])}
    assert {name for name in named if name[0] not in "./"} == set(compose["volumes"])


def test_addresses_name_the_services(compose: dict[str, Any], servers: dict[str, dict[str, Any]]) -> None:
    caddyfile = (DEPLOY / "Caddyfile").read_text()
    assert caddyfile.count("{") == caddyfile.count("}")
    (line,) = re.findall(r"reverse_proxy (.+) \{", caddyfile)
    assert line.split() == [f"{name}:8765" for name in servers]
    database = compose["services"]["database"]["environment"]
    address = f"postgresql://{database['POSTGRES_USER']}:x@database/{database['POSTGRES_DB']}"
    assert {service["environment"]["SIGHTLINE_LIBRARY"] for service in servers.values()} == {address}


def test_health_checks_ask_for_routes_that_need_no_token(
    servers: dict[str, dict[str, Any]], shared: TestClient
) -> None:
    texts = [(DEPLOY / "Caddyfile").read_text(), *(str(service["healthcheck"]) for service in servers.values())]
    paths = {path for text in texts for path in re.findall(r"/health/?\w*", text)}
    assert paths == {"/health/live", "/health/ready"}
    for path in paths:
        assert shared.get(path, headers={"Host": "server-1:8765"}).status_code in {200, 503}


def test_image_has_extras_that_exist(servers: dict[str, dict[str, Any]]) -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    extras = re.findall(r"/source\[([\w,]+)\]", dockerfile)[0].split(",")
    project = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text())
    assert set(extras) <= set(project["project"]["optional-dependencies"])
    assert {"web", "postgresql"} <= set(extras)
    sent = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert all((DEPLOY.parent / line.removeprefix("!")).exists() for line in sent if line.startswith("!"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert {f"!{package}" for package in packages} <= set(sent)
    assert {service["build"]["dockerfile"] for service in servers.values()} == {"deploy/Dockerfile"}


@pytest.fixture
def deployed(
    servers: dict[str, dict[str, Any]], postgres_url: str, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[str]]:
    """The URLs of the servers, run as the file says, except that they listen on this machine only."""
    from tests.web.test_server import served

    with ExitStack() as stack:
        urls = []
        for number, service in enumerate(servers.values()):
            folders = {"/shared": tmp_path / "shared", "/local": tmp_path / f"local-{number}", "/photos": album}
            (tmp_path / "shared").mkdir(exist_ok=True)
            environment = {
                name: str(folders.get(value, value))
                for name, value in service["environment"].items()
                if name not in {"SIGHTLINE_LIBRARY", "SIGHTLINE_MODELS"}
            }
            words = [str(folders.get(word, word)) for word in service["command"][1:]]
            words[words.index("--host") + 1] = "127.0.0.1"
            if not number:
                monkeypatch.setenv("SIGHTLINE_LOCAL", environment["SIGHTLINE_LOCAL"])
                with Library.open(postgres_url, create=True) as library:
                    index(library, [album], FakeEncoder())
            urls.append(stack.enter_context(served(postgres_url, *words, **environment)).url)
        yield urls


@pytest.mark.servers
@pytest.mark.processes
def test_servers_answer_as_they_are_deployed(deployed: list[str]) -> None:
    headers = {"Host": VALUES["SIGHTLINE_NAME"], "Authorization": f"Bearer {TOKEN}"}
    answers = [
        requests.post(f"{url}api/v1/search", json={"query": "red"}, headers=headers, timeout=60).json()
        for url in deployed
    ]
    assert answers[0]["hits"][0]["name"] == "red.png"
    assert answers[0]["hits"] == answers[1]["hits"]
    assert requests.get(f"{deployed[1]}health/live", headers={"Host": "server-2:8765"}, timeout=60).status_code == 200
    assert requests.post(f"{deployed[1]}api/v1/search", json={}, timeout=60).status_code == 401
