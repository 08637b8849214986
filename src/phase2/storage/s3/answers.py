"""Answers that boto3 takes for what they are not: cut off within their head or an error, or redirects to nowhere."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import IncompleteReadError
from botocore.parsers import ResponseParserError

DIGEST_NAME, PUT_NAME = "sha256", "phase2-put"
"""What each object carries as metadata: hex SHA-256 of the content, and a random name of the put."""


def check_answers(client: Any) -> None:
    """Make a client raise an error of botocore for such answers."""
    client.meta.events.register("before-parse.s3", _refuse_cut)
    client.meta.events.register("before-parse.s3.HeadBucket", _refuse_redirect)


def _refuse_redirect(response_dict: dict[str, Any], **_: object) -> None:
    """Botocore asks for the region of a bucket when it is redirected, and without end when that is redirected too."""
    if response_dict["status_code"] in {301, 307} and "x-amz-bucket-region" not in response_dict["headers"]:
        raise ResponseParserError("A redirect that names no region.")


def _refuse_cut(operation_model: Any, response_dict: dict[str, Any], **_: object) -> None:
    fields, body = response_dict["headers"], response_dict["body"]
    # http.client ends a head where the connection ends. Every server sends the date, and most send it last; the digest
    # of our own objects comes after their mark.
    has_digest = len(fields.get(f"x-amz-meta-{DIGEST_NAME}", "")) == 64 or f"x-amz-meta-{PUT_NAME}" not in fields
    if not fields.get("date", "").endswith("GMT") or not has_digest:
        raise IncompleteReadError(actual_bytes=0, expected_bytes=0)
    expected = fields.get("content-length", "")
    has_body = operation_model.http["method"] != "HEAD" and isinstance(body, bytes)
    if has_body and expected.isdecimal() and len(body) != int(expected):
        raise IncompleteReadError(actual_bytes=len(body), expected_bytes=int(expected))
