"""Connection settings of an S3 server; the access keys stay with boto3 and are never held here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from phase2.errors import RequestError

PATH_STYLE_VARIABLE = "PHASE2_S3_PATH_STYLE"
WORKERS_VARIABLE = "PHASE2_S3_WORKERS"
RETENTION_VARIABLE = "PHASE2_S3_RETENTION_DAYS"
_LONGEST_RETENTION = 36_500
_YES, _NO = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


@dataclass(frozen=True, slots=True)
class S3Settings:
    """Connection settings of one server.

    Access keys, profiles, roles and ``AWS_CA_BUNDLE`` are read by boto3 in its standard order.

    Attributes:
        endpoint: Address of the server; None is AWS, or what the AWS configuration file says.
        region: Region to sign for; None is what the AWS configuration says.
        path_style: Whether the bucket is part of the path rather than of the host name.
        workers: Parts transferred concurrently.
        part_bytes: Size of a part; an object of more than 10,000 parts has larger ones.
        attempts: Most attempts of a request that fails temporarily.
        first_pause: Upper bound of the pause before the second try, seconds; it doubles with each.
        longest_pause: Upper bound of all pauses, seconds.
        timeout: Longest silence of a connection, seconds.
        retention_days: Days for which published files are locked against removal, in a bucket with object lock; 0 for
            not at all.
    """

    endpoint: str | None = None
    region: str | None = None
    path_style: bool = False
    workers: int = 3
    part_bytes: int = 8 << 20
    attempts: int = 8
    first_pause: float = 0.2
    longest_pause: float = 20.0
    timeout: float = 60.0
    retention_days: int = 0

    def __post_init__(self) -> None:
        if self.endpoint is not None:
            _checked_endpoint(self.endpoint)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> S3Settings:
        """Read the endpoint and region of the ``AWS_*`` variables, and ``PHASE2_S3_*``.

        Path style is the default where an endpoint is named, since few such servers have a host name per bucket.

        Raises:
            RequestError: A variable has an invalid value.
        """
        known = os.environ if environment is None else environment
        endpoint = known.get("AWS_ENDPOINT_URL_S3") or known.get("AWS_ENDPOINT_URL") or None
        region = known.get("AWS_REGION") or known.get("AWS_DEFAULT_REGION") or ("us-east-1" if endpoint else None)
        return cls(
            endpoint=endpoint,
            region=region,
            path_style=_switch(known.get(PATH_STYLE_VARIABLE, ""), default=endpoint is not None),
            workers=_number(WORKERS_VARIABLE, known.get(WORKERS_VARIABLE, ""), default=3, among=range(1, 65)),
            retention_days=_number(
                RETENTION_VARIABLE, known.get(RETENTION_VARIABLE, ""), default=0, among=range(_LONGEST_RETENTION + 1)
            ),
        )


def _checked_endpoint(endpoint: str) -> None:
    parts = urlsplit(endpoint)
    if "@" in endpoint:
        raise RequestError(
            "The S3 endpoint carries access keys.", why="Addresses end up in logs.", fix="Set the AWS_* variables."
        )
    if parts.scheme not in {"http", "https"} or not parts.hostname or not endpoint.isprintable() or " " in endpoint:
        raise RequestError(
            f"{endpoint!r} is not an S3 endpoint.", why="An endpoint is an address.", fix="Write https://host:port."
        )
    if parts.query or parts.fragment:
        raise RequestError("The S3 endpoint has a '?' or '#'.", fix="Write https://host:port.")


def refuse_bucket_in_endpoint(endpoint: str | None, bucket: str) -> None:
    """Refuse an endpoint whose path names the bucket, as web pages of servers show it.

    Raises:
        RequestError: It does.
    """
    path = urlsplit(endpoint or "").path.strip("/")
    if path and path.rpartition("/")[2] == bucket:
        server = (endpoint or "").rstrip("/").removesuffix(f"/{bucket}")
        raise RequestError(
            f"The S3 endpoint {endpoint} has the bucket in its path.",
            why=f"The bucket is named by s3://{bucket}/..., and requests would have it twice.",
            fix=f"Set AWS_ENDPOINT_URL_S3 (or AWS_ENDPOINT_URL) to {server}.",
        )


def _switch(word: str, *, default: bool) -> bool:
    if word.lower() in _YES | _NO:
        return word.lower() in _YES
    if word:
        raise RequestError(f"{PATH_STYLE_VARIABLE}={word} is not understood.", fix="Use true or false.")
    return default


def _number(variable: str, word: str, *, default: int, among: range) -> int:
    if not word:
        return default
    if not (word.isascii() and word.isdecimal() and len(word) < 10) or int(word) not in among:
        raise RequestError(
            f"{variable}={word} is not understood.", fix=f"Use a number from {among[0]} to {among[-1]:,}."
        )
    return int(word)
