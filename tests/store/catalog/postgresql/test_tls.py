"""Connections with TLS: the certificate of the server is checked, and no error shows the password."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import LibraryUnreachable
from store import Library
from tests.support.postgres import PostgresServer, running_server
from tests.support.tools import miss

pytestmark = pytest.mark.servers


def make_certificate(folder: Path, name: str) -> Path:
    """Write a self-signed certificate for this machine, and its key beside it."""
    certificate = folder / f"{name}.crt"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    files = ["-addext", "subjectAltName=IP:127.0.0.1", "-out", str(certificate), "-keyout", str(folder / f"{name}.key")]
    try:
        subprocess.run([*command, *files], check=True, capture_output=True)
    except FileNotFoundError:
        miss("openssl", "it is not installed.")
    return certificate


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("certificates")
    return {name: make_certificate(folder, name) for name in ("server", "other")}


@pytest.fixture(scope="module")
def server(certificates: dict[str, Path]) -> Iterator[PostgresServer]:
    with running_server(certificate=certificates["server"]) as running:
        yield running


@pytest.fixture
def url(server: PostgresServer) -> Iterator[str]:
    """An empty database, with a password in its URL."""
    name = server.create_database()
    yield server.url(name).replace("@", ":hidden%26word@")
    server.drop_database(name)


def with_ca(url: str, certificate: Path, mode: str = "verify-full") -> str:
    return f"{url}?sslmode={mode}&sslrootcert={certificate}"


def test_a_certificate_that_is_known_is_accepted(url: str, certificates: dict[str, Path]) -> None:
    secure = with_ca(url, certificates["server"])
    with Library.open(secure, create=True) as library:
        assert "hidden" not in library.location
        with library.read() as connection:
            assert connection.exec_driver_sql(
                "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            ).one() == (True, "TLSv1.3")
    with Library.open(secure) as library, library.exclusive() as writer, writer.transaction():
        pass


def test_a_certificate_of_another_authority_is_refused(url: str, certificates: dict[str, Path]) -> None:
    with pytest.raises(LibraryUnreachable, match="certificate verify failed") as refused:
        Library.open(with_ca(url, certificates["other"]), create=True)
    assert "hidden" not in str(refused.value)


def test_a_certificate_for_another_name_is_refused(url: str, certificates: dict[str, Path]) -> None:
    elsewhere = with_ca(url, certificates["server"]).replace("127.0.0.1", "localhost")
    with pytest.raises(LibraryUnreachable, match="does not match host name") as refused:
        Library.open(elsewhere, create=True)
    assert "hidden" not in str(refused.value)


def test_a_file_of_authorities_that_is_missing_is_named(url: str, tmp_path: Path) -> None:
    with pytest.raises(LibraryUnreachable, match=r"missing\.crt") as refused:
        Library.open(with_ca(url, tmp_path / "missing.crt"), create=True)
    assert "hidden" not in str(refused.value)


def test_a_server_without_tls_is_refused(postgres_url: str) -> None:
    with pytest.raises(LibraryUnreachable, match="does not support SSL"):
        Library.open(f"{postgres_url.replace('@', ':hidden@')}?sslmode=require", create=True)
