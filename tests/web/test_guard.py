"""Access control: host names, other sites, and tokens."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from core.errors import UnsafeServerSettings
from store import Library
from tests.support.web import BASE_URL, TOKEN
from web import ServeSettings, create_app
from web.guard import TOKEN_COOKIE

STATUS = "/api/v1/status"


@pytest.fixture
def guarded(indexed: Library, settings: ServeSettings) -> Iterator[TestClient]:
    """A client of a server that other machines can reach."""
    open_to_all = ServeSettings(
        host="0.0.0.0", token=TOKEN, names=frozenset({"Photos.Example.org"}), cache=settings.cache
    )
    with TestClient(create_app(indexed, open_to_all), base_url=BASE_URL, follow_redirects=False) as opened:
        yield opened


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "LOCALHOST", "[::1]:8765"])
def test_loopback_host_names_are_accepted(shared: TestClient, host: str) -> None:
    assert shared.get(STATUS, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8765", "", "[::1", "0.0.0.0", "10.0.0.1"]
)
def test_forged_host_is_rejected(shared: TestClient, host: str) -> None:
    answer = shared.get(STATUS, headers={"Host": host})
    assert (answer.status_code, answer.json()["title"]) == (421, "UnknownHost")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "http://127.0.0.1", "http://[", ""]
)
def test_other_origins_are_rejected(shared: TestClient, method: str, origin: str) -> None:
    answer = shared.request(method, STATUS, headers={"Origin": origin})
    assert (answer.status_code, answer.json()["title"]) == (403, "CrossSite")
    assert "access-control-allow-origin" not in answer.headers


def test_own_origin_is_accepted(shared: TestClient) -> None:
    assert shared.get(STATUS, headers={"Origin": BASE_URL, "Sec-Fetch-Site": "same-origin"}).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_sites_cannot_embed_pictures(shared: TestClient, site: str) -> None:
    for path in ("/api/v1/pictures/1/thumbnail", "/api/v1/pictures/1/original", STATUS, "/static/index.html"):
        answer = shared.get(path, headers={"Sec-Fetch-Site": site, "Sec-Fetch-Dest": "image"})
        assert answer.status_code == 403


def test_cross_site_link_may_only_open_the_page(shared: TestClient) -> None:
    navigation = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
    assert shared.get("/", headers=navigation).status_code == 200
    assert shared.get("/api/v1/pictures/1/original", headers=navigation).status_code == 403
    assert shared.get("/", headers=navigation | {"Sec-Fetch-Dest": "iframe"}).status_code == 403


def test_every_response_has_security_headers(shared: TestClient) -> None:
    for path in ("/", STATUS, "/api/v1/pictures/1/thumbnail", "/nothing"):
        headers = shared.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", STATUS, "/metrics", "/static/index.html", "/api/v1/openapi.json", "/nothing"])
def test_requests_without_the_token_are_rejected(guarded: TestClient, path: str) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": TOKEN},
        {"Cookie": f"{TOKEN_COOKIE}=wrong"},
    ):
        answer = guarded.get(path, headers=headers)
        assert (answer.status_code, answer.json()["title"]) == (401, "TokenNeeded")
        assert TOKEN not in answer.text


def test_bearer_token_is_accepted(guarded: TestClient) -> None:
    assert guarded.get(STATUS, headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200
    for path in ("/health", "/health/live"):
        assert guarded.get(path).status_code == 200
        assert guarded.get(path, headers={"Host": "10.0.0.7:8765"}).status_code == 200  # a balancer asks by the address


def test_browser_gets_a_cookie_for_its_token(guarded: TestClient) -> None:
    answer = guarded.get("/", params={"token": TOKEN})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert guarded.get("/").status_code == 200  # the cookie was sent
    guarded.cookies.clear()
    assert guarded.get("/", params={"token": "wrong" + TOKEN}).status_code == 401
    assert guarded.get(STATUS, params={"token": TOKEN}).status_code == 401  # the URL parameter works for the page only


def test_additional_host_names_are_accepted(guarded: TestClient) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert guarded.get(STATUS, headers=headers | {"Host": "photos.example.org"}).status_code == 200
    assert guarded.get(STATUS, headers=headers | {"Host": "0.0.0.0:8765"}).status_code == 421


def test_undecodable_token_is_rejected(guarded: TestClient) -> None:
    assert guarded.get(STATUS, headers={b"Authorization": b"Bearer \xff\xfe"}).status_code == 401
    assert guarded.get(STATUS, headers={b"Cookie": b"\xff;=;;" + TOKEN_COOKIE.encode() + b"=\xff"}).status_code == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "photos.example.org", "127.0.0.1.example.org", ""])
def test_public_host_requires_a_token(host: str) -> None:
    with pytest.raises(UnsafeServerSettings, match="token"):
        ServeSettings(host=host)


def test_public_name_requires_a_token() -> None:
    with pytest.raises(
        UnsafeServerSettings, match=r"photos\.example\.org"
    ):  # it listens on loopback, but a proxy makes it reachable
        ServeSettings(names=frozenset({"photos.example.org"}))
    assert ServeSettings(names=frozenset({"photos.example.org"}), token=TOKEN).hosts > {"photos.example.org"}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "LocalHost"])
def test_loopback_needs_no_token(host: str) -> None:
    assert ServeSettings(host=host).may_index_folders


def test_short_token_is_rejected() -> None:
    with pytest.raises(UnsafeServerSettings, match="16"):
        ServeSettings(token="short")
    assert not ServeSettings(token=TOKEN).may_index_folders
