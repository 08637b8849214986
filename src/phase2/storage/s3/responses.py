"""Detection of responses that boto3 misreads: truncated in the header or in an error body, or redirects to nowhere."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import IncompleteReadError
from botocore.parsers import ResponseParserError

DIGEST_NAME, PUT_NAME = "sha256", "phase2-put"
"""Metadata of each object: hex SHA-256 of the content, and the random id of the upload."""


def refuse_truncated_responses(client: Any) -> None:
    """Make a client raise an error of botocore for such responses."""
    client.meta.events.register("before-parse.s3", _refuse_truncated)
    client.meta.events.register("before-parse.s3.HeadBucket", _refuse_redirect)


def _refuse_redirect(response_dict: dict[str, Any], **_: object) -> None:
    """Refuse a redirect without a region: botocore would ask for the bucket's region, be redirected, and ask again."""
    if response_dict["status_code"] in {301, 307} and "x-amz-bucket-region" not in response_dict["headers"]:
        raise ResponseParserError("A redirect that names no region.")


def _refuse_truncated(operation_model: Any, response_dict: dict[str, Any], **_: object) -> None:
    fields, body = response_dict["headers"], response_dict["body"]
    # http.client ends a header where the connection ends. Every server sends the date, and most send it last; the
    # digest of our own objects comes after their upload id.
    has_digest = len(fields.get(f"x-amz-meta-{DIGEST_NAME}", "")) == 64 or f"x-amz-meta-{PUT_NAME}" not in fields
    if not fields.get("date", "").endswith("GMT") or not has_digest:
        raise IncompleteReadError(actual_bytes=0, expected_bytes=0)
    expected = fields.get("content-length", "")
    has_body = operation_model.http["method"] != "HEAD" and isinstance(body, bytes)
    if has_body and expected.isdecimal() and len(body) != int(expected):
        raise IncompleteReadError(actual_bytes=len(body), expected_bytes=int(expected))
