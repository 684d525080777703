"""A server that speaks the protocol of S3, on this machine alone (`moto`), and programs that use it."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import pytest

from tests.support.tools import miss

__all__ = ["SECRET", "S3Server", "serve_s3", "use_server"]

SECRET = "secret-of-the-test"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "key-of-the-test",
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}


class S3Server:
    """A running server with the empty bucket `bucket`, and a client of it."""

    def __init__(self, url: str) -> None:
        import boto3

        self.url = url
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id=ENVIRONMENT["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=SECRET,
        )

    def put(self, key: str, data: bytes) -> None:
        """Create or replace an object."""
        self.client.put_object(Bucket="bucket", Key=key, Body=data)

    def delete(self, key: str) -> None:
        """Delete an object."""
        self.client.delete_object(Bucket="bucket", Key=key)

    def clear(self) -> None:
        """Leave nothing but an empty bucket."""
        import requests

        requests.post(f"{self.url}/moto-api/reset", timeout=60)
        self.client.create_bucket(Bucket="bucket")


@contextmanager
def serve_s3() -> Iterator[S3Server]:
    """Start a server on a free port of this machine; skip the test if it, or the extra `s3`, is not installed."""
    for package in ("moto", "flask", "s3fs"):
        if find_spec(package) is None:
            miss("moto", f"the package {package} is not installed")
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield S3Server(f"http://{host}:{port}")
    finally:
        server.stop()


def use_server(monkeypatch: pytest.MonkeyPatch, server: S3Server) -> None:
    """Have this process, and those that it starts, use a server, which is empty from then on."""
    from core.root_files.s3 import s3_store

    server.clear()
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL": server.url}.items():
        monkeypatch.setenv(name, value)
    s3_store.cache_clear()
