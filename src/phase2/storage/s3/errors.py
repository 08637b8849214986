"""Errors of an S3 server or of the connection to it, as errors of phase2."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from phase2.errors import Phase2Error, RequestError, TransientError
from phase2.storage.base import KeysMissingError, exists_error, missing_error

_KEYS = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE) to keys of this server."
_ADDRESS = "Check AWS_ENDPOINT_URL_S3 (or AWS_ENDPOINT_URL)."
_NO_PATH = "Write the endpoint without a path, as http://host:port, and the bucket in s3://bucket/prefix alone."
_PERMISSION = "Ask for permission to get, put, list and delete objects there, or use other keys."

# Permanent errors by code of the server: why, and the fix.
_REFUSED = {
    "NoSuchBucket": ("There is no such bucket.", "Create the bucket, or check its name and the endpoint."),
    "InvalidBucketName": ("The bucket's name is not valid.", "Check the name of the bucket."),
    "AccessDenied": ("The access keys do not have the permission.", _PERMISSION),
    "AllAccessDisabled": ("Access to the bucket is disabled.", _PERMISSION),
    "AccountProblem": ("The account of the access keys is suspended.", _PERMISSION),
    "InvalidAccessKeyId": ("The server does not know the access key.", _KEYS),
    "SignatureDoesNotMatch": ("The secret key is wrong.", _KEYS),
    "InvalidToken": ("The session token is not valid.", _KEYS),
    "ExpiredToken": ("The access keys have expired.", "Renew them (for example: aws sso login) and run it again."),
    "RequestTimeTooSkewed": ("The clocks of this machine and the server differ too much.", "Set this machine's clock."),
    "PermanentRedirect": ("The bucket is in another region.", "Set AWS_REGION to the region of the bucket."),
    "AuthorizationHeaderMalformed": ("The request was signed for the wrong region.", "Set AWS_REGION."),
    "MethodNotAllowed": ("The server there does not speak S3.", _ADDRESS),
    "301": ("The bucket is in another region, or the address is not one of an S3 server.", _ADDRESS),
    "403": ("The access keys do not have the permission.", _PERMISSION),
    "404": ("The server there does not speak S3.", _ADDRESS),
    "501": ("The server there does not speak S3.", _ADDRESS),
    "405": ("The server there does not speak S3.", _ADDRESS),
}
_ALIASES = {
    "ExpiredTokenException": "ExpiredToken",
    "TokenRefreshRequired": "ExpiredToken",
    "RequestExpired": "RequestTimeTooSkewed",
    "IllegalLocationConstraintException": "PermanentRedirect",
    "Forbidden": "AccessDenied",
}
# Transient though their status is below 500: requests that were damaged, late, or in conflict with another one.
_TRANSIENT_CODES = {
    "BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch", "IncompleteBody", "RequestTimeout",
    "MalformedXML", "InvalidPart", "InvalidPartOrder",
    "ConditionalRequestConflict", "OperationAborted", "SlowDown", "Throttling", "TooManyRequests",
}  # fmt: skip
_NO_SUCH_HOST = ("Name or service not known", "No address associated with hostname", "nodename nor servname")

# Errors that boto3 raises before or without a response: classes, what, why, fix.
_CLIENT_ERRORS: tuple[tuple[tuple[type[Exception], ...], str, str, str], ...] = (
    (
        (boto.PartialCredentialsError,),
        "cannot be used",
        "One of the two access keys is set, and the other is not.",
        "Set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    ),
    (
        (boto.ConfigParseError, boto.ConfigNotFound, boto.InvalidConfigError),
        "cannot be used",
        "The configuration file of AWS cannot be read.",
        "Check AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE (default: ~/.aws/config, ~/.aws/credentials).",
    ),
    (
        (boto.NoCredentialsError,),
        "cannot be used",
        "No access keys were found.",
        _KEYS,
    ),
    (
        (boto.CredentialRetrievalError, boto.TokenRetrievalError, boto.UnauthorizedSSOTokenError),
        "cannot be used",
        "The access keys could not be renewed.",
        "Renew them (for example: aws sso login) and run it again.",
    ),
    ((boto.NoRegionError,), "cannot be used", "Its region is not known.", "Set AWS_REGION."),
    (
        (boto.SSLError,),
        "cannot be used",
        "The server's certificate is not trusted, or it does not speak TLS.",
        "Set AWS_CA_BUNDLE to the authority's certificate, and check https or http in the endpoint.",
    ),
    ((ResponseParserError,), "cannot be used", "The server there does not speak S3.", _ADDRESS),
    ((boto.ParamValidationError,), "cannot be used", "The request is not valid.", _ADDRESS),
)
_PROFILES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
_REQUEST_ID = "x-amz-request-id"
"""Header that identifies a server of S3."""
_TRANSIENT_STATUS = {429, *range(500, 600)} - {501}


@contextmanager
def s3_errors(place: str, key: str = "") -> Iterator[None]:
    """Convert errors of boto3 or of the connection in a block into errors of phase2, without access keys.

    Raises:
        ObjectMissingError: There is no object of the key.
        ObjectExistsError: A condition of the request is not met.
        RequestError: Bucket, keys, address, permission or clock are wrong.
        TransientError: The server or the network failed temporarily.
    """
    try:
        yield
    except boto.ClientError as error:
        raise _from_response(error, place, key) from error
    except (boto.BotoCoreError, ResponseParserError, HTTPError, OSError) as error:
        if isinstance(error, Phase2Error):
            raise
        raise _from_connection(error, place) from error


def _from_response(error: boto.ClientError, place: str, key: str) -> Phase2Error:
    code = str(error.response.get("Error", {}).get("Code", ""))
    code = _ALIASES.get(code, code)
    metadata = error.response.get("ResponseMetadata", {})
    status = int(metadata.get("HTTPStatusCode", 0))
    # A response to HEAD has no body, and so no error code.
    if key and (code == "NoSuchKey" or (code == "404" and error.operation_name == "HeadObject")):
        return missing_error(place, key)
    if code == "NoSuchKey":
        # The bucket itself was asked for: the path of the endpoint makes the request one for an object.
        return RequestError(
            f"{place} cannot be used.", why="The server there takes the bucket for an object.", fix=_NO_PATH
        )
    # A server may compare the range with an object before the condition: one that was replaced by a smaller one.
    if code in {"PreconditionFailed", "412", "InvalidRange", "416"}:
        return exists_error(place, key)
    # A server that speaks S3 and gives no reason is starting up or shutting down.
    has_no_reason = code == str(status) == "404" and _REQUEST_ID in metadata.get("HTTPHeaders", {})
    if code in _TRANSIENT_CODES or status in _TRANSIENT_STATUS or has_no_reason:
        return TransientError(
            f"{place} is not available now.", why=f"The server responds {code} ({status}).", fix="Try again later."
        )
    what, fix = _REFUSED.get(code) or _REFUSED.get(str(status)) or ("The server refuses the request.", _ADDRESS)
    return RequestError(f"{place} cannot be used.", why=f"{what} (The server responds {code or status}.)", fix=fix)


def _from_connection(error: Exception, place: str) -> Phase2Error:
    if isinstance(error, boto.ProfileNotFound):
        return _no_profile(place)
    for kinds, what, why, fix in _CLIENT_ERRORS:
        if isinstance(error, kinds):
            kind = KeysMissingError if isinstance(error, boto.NoCredentialsError) else RequestError
            return kind(f"{place} {what}.", why=f"{why} (boto3 says {type(error).__name__}.)", fix=fix)
    if any(words in f"{error} {getattr(error, 'kwargs', {}).get('error')}" for words in _NO_SUCH_HOST):
        return RequestError(f"{place} cannot be reached.", why="The endpoint's host name does not exist.", fix=_ADDRESS)
    why = f"The connection failed ({type(error).__name__})."
    return TransientError(f"{place} cannot be reached.", why=why, fix=f"Try again later. {_ADDRESS}")


def _no_profile(place: str) -> RequestError:
    variable = next((name for name in _PROFILES if name in os.environ), _PROFILES[0])
    profile = os.environ.get(variable, "")
    files = "AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE (default: ~/.aws/config, ~/.aws/credentials)"
    if not profile:
        return RequestError(
            f"{place} cannot be used.",
            why=f"{variable} is set and empty.",
            fix=f"Unset it, or name a profile of {files}.",
        )
    return RequestError(
        f"{place} cannot be used.",
        why=f"There is no profile '{profile}', which {variable} names; access keys in variables do not replace it.",
        fix=f"Unset {variable}, or add the profile to {files}.",
    )
