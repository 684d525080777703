"""Objects in S3, or in a store that speaks its protocol, through `s3fs` (the extra `s3`).

Credentials, region and endpoint are those of the AWS tools: environment variables such as `AWS_ACCESS_KEY_ID`,
`AWS_PROFILE` and `AWS_ENDPOINT_URL`, profiles in `~/.aws`, or the role of a machine. Nothing of them is stored.
"""

import errno
from datetime import datetime
from functools import cache
from typing import Any

from core.errors.base import ExtraMissing
from core.root_files.object_store import ListingPage, ObjectChanged, ObjectStatus, ObjectStore
from core.root_files.waiting import answer_of

__all__ = ["S3Store", "s3_store"]

CONNECT_SECONDS = 10
READ_SECONDS = 30

MAX_CONNECTIONS = 64
"""Requests that a process makes at once. More readers than these are not allowed."""

TRIES = 3
"""Requests that fail for a moment, such as `SlowDown`, are repeated with growing pauses."""


@cache
def s3_store() -> "S3Store":
    """Return the store of this process. Raises `ExtraMissing`. Nothing is connected."""
    return S3Store()


class S3Store(ObjectStore):
    """Buckets of S3. Each request is repeated a few times if the store is busy or the network fails for a moment."""

    def __init__(self) -> None:
        try:
            import s3fs
        except ImportError as error:
            raise ExtraMissing("Reading objects in S3", "s3") from error
        limits = {
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": READ_SECONDS,
            "max_pool_connections": MAX_CONNECTIONS,
            "retries": {"max_attempts": 2},
        }
        self._files = s3fs.S3FileSystem(config_kwargs=limits, use_listings_cache=False, skip_instance_cache=True)
        self._files.retries = TRIES

    def list_page(self, bucket: str, prefix: str, following: str | None = None, limit: int = 1000) -> ListingPage:
        """Return a page of a listing, as `ListObjectsV2` does."""
        token = {} if following is None else {"ContinuationToken": following}
        page = self._call("list_objects_v2", Bucket=bucket, Prefix=prefix, Delimiter="/", MaxKeys=limit, **token)
        if "IsTruncated" not in page or (page["IsTruncated"] and not page.get("NextContinuationToken")):
            raise OSError(errno.EIO, "the store does not answer with a list of objects")
        objects = [
            (each["Key"], ObjectStatus(each["Size"], _nanoseconds(each["LastModified"]), each.get("ETag", "")))
            for each in page.get("Contents", ())
        ]
        prefixes = [each["Prefix"] for each in page.get("CommonPrefixes", ())]
        return ListingPage(objects, prefixes, page["NextContinuationToken"] if page["IsTruncated"] else None)

    def status(self, bucket: str, key: str) -> ObjectStatus:
        """Return the status of an object, as `HeadObject` does."""
        return _status(found := self._call("head_object", Bucket=bucket, Key=key), found["ContentLength"])

    def read(self, bucket: str, key: str, start: int, stop: int, etag: str | None = None) -> tuple[bytes, ObjectStatus]:
        """Return a range of the bytes of an object, as `GetObject` does."""
        same = {"IfMatch": etag} if etag else {}
        asked = {"Bucket": bucket, "Key": key, "Range": f"bytes={start}-{stop - 1}", **same}
        for left in reversed(range(TRIES)):
            try:
                found = self._call("get_object", **asked)
            except OSError as error:
                if start == 0 and _code(error) in ("InvalidRange", "416"):  # it is empty
                    return b"", self.status(bucket, key)
                if _code(error) in ("PreconditionFailed", "412"):
                    raise ObjectChanged("it changed while it was read") from error
                raise
            try:
                data = self._body(found["Body"])
            except ConnectionError:
                if not left:
                    raise
                continue
            if "ContentRange" not in found:  # the store has sent the whole object
                return data[start:stop], _status(found, len(data))
            return data, _status(found, int(found["ContentRange"].rpartition("/")[2]))
        raise AssertionError

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = answer_of(self._files.loop, self._files._call_s3, method, **parameters)
        except InterruptedError:
            raise
        except Exception as error:
            raise _as_os_error(error) from error
        return answer

    def _body(self, body: Any) -> bytes:
        try:
            data: bytes = answer_of(self._files.loop, body.read)
        except InterruptedError:
            raise
        except Exception as error:
            raise ConnectionError(errno.ECONNRESET, f"the connection broke off: {type(error).__name__}") from error
        finally:
            body.close()
        return data


def _status(found: dict[str, Any], size: int) -> ObjectStatus:
    return ObjectStatus(size, _nanoseconds(found["LastModified"]), found.get("ETag", ""))


def _nanoseconds(time: datetime) -> int:
    """Return a time without its fraction of a second, which some stores say in listings and none with an object."""
    return int(time.timestamp()) * 1_000_000_000


def _code(error: BaseException | None) -> str:
    """Return the code with which the store answered; empty if it did not."""
    while error is not None:
        response = getattr(error, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
        error = error.__cause__
    return ""


_REASONS = {
    "NoSuchBucket": "the bucket does not exist",
    "NoSuchKey": "the object does not exist",
    "404": "it does not exist",
    "403": "access is denied",
    "AccessDenied": "access is denied",
    "InvalidAccessKeyId": "the access key is not known to the store",
    "SignatureDoesNotMatch": "the secret key does not fit the access key",
    "ExpiredToken": "the credentials have expired",
    "SlowDown": "the store is busy",
    "503": "the store is busy",
}


def _as_os_error(error: Exception) -> OSError:
    """Return an error of the operating system whose text is only the reason: answers of a store can contain keys."""
    code, name = _code(error), type(error).__name__
    if code:
        kind = type(error) if isinstance(error, (FileNotFoundError, PermissionError)) else OSError
        number = error.errno if isinstance(error, OSError) and error.errno else errno.EIO
        return kind(number, _REASONS.get(code, f"the store answers {code}"))
    if name in ("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "TokenRetrievalError"):
        return PermissionError(errno.EACCES, "there are no credentials for the store")
    if name == "ParamValidationError":
        return OSError(errno.EINVAL, "the name of the bucket is not valid")
    if isinstance(error, ValueError):
        return OSError(errno.EINVAL, "the address of the store is not valid")
    if isinstance(error, TimeoutError) or "Timeout" in name:
        return TimeoutError(errno.ETIMEDOUT, "the store does not answer")
    if "Connection" in name or isinstance(error, ConnectionError):
        return ConnectionError(errno.ECONNREFUSED, "the store cannot be reached")
    return OSError(errno.EIO, f"the store cannot be read: {name}")
