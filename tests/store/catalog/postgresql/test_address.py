"""URLs of libraries on servers: what they name, and what of them is shown."""

from pathlib import Path

import pytest

from core.errors import LibraryUnusable
from store.catalog.postgresql.address import ServerAddress, is_server_url

URLS = {
    "postgresql://anna:geheim@db.example.org:5433/photos": "postgresql://anna@db.example.org:5433/photos",
    "postgres://db/photos": "postgresql://db/photos",
    "POSTGRESQL+psycopg://db/photos": "postgresql://db/photos",
    "postgresql:///photos": "postgresql:///photos",
    "postgresql:///photos?host=/run/postgresql&password=geheim": "postgresql:///photos?host=/run/postgresql",
    "postgresql://:geheim@db/photos": "postgresql://@db/photos",
    "postgresql://anna:geheim?#@db/photos": "postgresql://anna@db/photos",
    "postgresql://anna:geheim%2F%40@db/photos": "postgresql://anna@db/photos",
    "postgresql://one:1,two:2/photos?target_session_attrs=read-write": (
        "postgresql://one:1,two:2/photos?target_session_attrs=read-write"
    ),
    "postgresql://[::1]:5432/photos": "postgresql://[::1]:5432/photos",
    "postgresql://anna@db/photos?sslpassword=geheim&sslmode=verify-full": (
        "postgresql://anna@db/photos?sslmode=verify-full"
    ),
    "postgresql://db/photos?PASSWORD=geheim&scram_client_key=geheim&oauth_client_secret=geheim": "postgresql://db/photos",
    "postgresql://anna@db": "postgresql://anna@db",
}


@pytest.mark.parametrize("url", URLS)
def test_secrets_are_not_shown(url: str) -> None:
    address = ServerAddress.parse(url)
    assert address.shown == URLS[url]
    assert "geheim" not in f"{address!r} {address.folder}"


@pytest.mark.parametrize("url", [url for url in URLS if url != "postgresql://anna@db"])
def test_a_path_made_of_a_url_is_the_same_address(url: str) -> None:
    assert is_server_url(url)
    assert is_server_url(str(Path(url)))
    assert ServerAddress.parse(str(Path(url))) == ServerAddress.parse(url)


@pytest.mark.parametrize("place", ["photos", "/photos", "postgresql", "./postgresql:/x", "mysql://db/x", ""])
def test_other_places_are_folders(place: str) -> None:
    assert not is_server_url(place)


@pytest.mark.parametrize("url", ["postgresql://anna:ge/heim@db/photos", "postgresql://anna:ge@heim@db/photos"])
def test_a_password_that_ends_too_early_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(LibraryUnusable, match="%2F and %40") as caught:
        ServerAddress.parse(url)
    assert "heim" not in str(caught.value)


@pytest.mark.parametrize("url", ["postgresql://anna:geheim@db/a\0b", "postgresql://anna:geheim@db/a\udcff"])
def test_a_url_that_cannot_be_encoded_is_refused(url: str) -> None:
    with pytest.raises(LibraryUnusable, match="%XX") as caught:
        ServerAddress.parse(url)
    assert "geheim" not in str(caught.value)


def test_each_library_has_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTLINE_LOCAL", str(tmp_path))
    urls = ["postgresql://db/a", "postgresql://db/b", "postgresql://db:1/a", "postgresql://anna@db/a"]
    folders = [ServerAddress.parse(url).folder for url in urls]
    assert len(set(folders)) == 4
    assert ServerAddress.parse("postgresql://anna:other@db/a").folder == folders[3]
    assert [folder.parent for folder in folders] == [tmp_path] * 4
    assert ServerAddress.parse("postgresql://db/..%2F..").folder.parent == tmp_path
