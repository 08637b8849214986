"""What an S3 server or the way to it says, in words that help."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from phase2.errors import Phase2Error, RequestError, TransientError
from phase2.storage.base import exists, missing

_KEYS = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE) to keys of this server."
_ADDRESS = "Check AWS_ENDPOINT_URL_S3 (or AWS_ENDPOINT_URL)."
_PERMISSION = "Ask for permission to get, put, list and delete objects there, or use other keys."

# Error code of the server: what happened, what to do.
_REFUSED = {
    "NoSuchBucket": ("There is no such bucket.", "Make the bucket, or check its name and the endpoint."),
    "InvalidBucketName": ("The bucket's name is not valid.", "Check the name of the bucket."),
    "AccessDenied": ("The access keys may not do that.", _PERMISSION),
    "AllAccessDisabled": ("Access to the bucket is disabled.", _PERMISSION),
    "AccountProblem": ("The account of the access keys is suspended.", _PERMISSION),
    "InvalidAccessKeyId": ("The server does not know the access key.", _KEYS),
    "SignatureDoesNotMatch": ("The secret key is wrong.", _KEYS),
    "InvalidToken": ("The session token is not valid.", _KEYS),
    "ExpiredToken": ("The access keys have expired.", "Renew them (for example: aws sso login) and run it again."),
    "RequestTimeTooSkewed": ("The clocks of this machine and the server differ too much.", "Set this machine's clock."),
    "PermanentRedirect": ("The bucket is in another region.", "Set AWS_REGION to the region of the bucket."),
    "AuthorizationHeaderMalformed": ("The request was signed for the wrong region.", "Set AWS_REGION."),
    "MethodNotAllowed": ("What answers there does not speak S3.", _ADDRESS),
    "301": ("The bucket is in another region, or the address is not one of an S3 server.", _ADDRESS),
    "403": ("The access keys may not do that.", _PERMISSION),
    "404": ("What answers there does not speak S3.", _ADDRESS),
    "501": ("What answers there does not speak S3.", _ADDRESS),
    "405": ("What answers there does not speak S3.", _ADDRESS),
}
_SAME = {
    "ExpiredTokenException": "ExpiredToken",
    "TokenRefreshRequired": "ExpiredToken",
    "RequestExpired": "RequestTimeTooSkewed",
    "IllegalLocationConstraintException": "PermanentRedirect",
    "Forbidden": "AccessDenied",
}
# Worth another try though their status is below 500: what was damaged, late or crossed on the way.
_PASSING = {
    "BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch", "IncompleteBody", "RequestTimeout",
    "MalformedXML", "InvalidPart", "InvalidPartOrder",
    "ConditionalRequestConflict", "OperationAborted", "SlowDown", "Throttling", "TooManyRequests",
}  # fmt: skip
_NO_SUCH_HOST = ("Name or service not known", "No address associated with hostname", "nodename nor servname")

# What boto3 finds out before or without an answer of the server: kinds, what happened, why, what to do.
_SETTINGS: tuple[tuple[tuple[type[Exception], ...], str, str, str], ...] = (
    (
        (boto.NoCredentialsError, boto.PartialCredentialsError, boto.ProfileNotFound),
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
    ((ResponseParserError,), "cannot be used", "What answers there does not speak S3.", _ADDRESS),
    ((boto.ParamValidationError,), "cannot be used", "The request is not valid.", _ADDRESS),
)
_REQUEST_ID = "x-amz-request-id"
"""Header by which a server of S3 shows that it is one."""
_PASSING_STATUS = {429, *range(500, 600)} - {501}


@contextmanager
def s3_errors(place: str, key: str = "") -> Iterator[None]:
    """Turn an error of boto3 or of the connection in a block into one of phase2, which holds no access keys.

    Raises:
        ObjectMissingError: There is no object of the key.
        ObjectExistsError: A condition of the request is not met.
        RequestError: Bucket, keys, address, permission or clock are wrong.
        TransientError: The server or the network failed in a way that may pass.
    """
    try:
        yield
    except boto.ClientError as error:
        raise _answered(error, place, key) from error
    except (boto.BotoCoreError, ResponseParserError, HTTPError, OSError) as error:
        if isinstance(error, Phase2Error):
            raise
        raise _unanswered(error, place) from error


def _answered(error: boto.ClientError, place: str, key: str) -> Phase2Error:
    code = str(error.response.get("Error", {}).get("Code", ""))
    code = _SAME.get(code, code)
    answer = error.response.get("ResponseMetadata", {})
    status = int(answer.get("HTTPStatusCode", 0))
    # An answer to HEAD has no body, so no code either.
    if code == "NoSuchKey" or (code == "404" and key and error.operation_name == "HeadObject"):
        return missing(place, key)
    if code in {"PreconditionFailed", "412"}:
        return exists(place, key)
    # One that speaks S3 and gives no reason is about to end, or has just begun.
    has_no_reason = code == str(status) == "404" and _REQUEST_ID in answer.get("HTTPHeaders", {})
    if code in _PASSING or status in _PASSING_STATUS or has_no_reason:
        return TransientError(f"{place} does not serve now.", why=f"It says {code} ({status}).", fix="Try again later.")
    what, fix = _REFUSED.get(code) or _REFUSED.get(str(status)) or ("The server refuses the request.", _ADDRESS)
    return RequestError(f"{place} cannot be used.", why=f"{what} (It says {code or status}.)", fix=fix)


def _unanswered(error: Exception, place: str) -> Phase2Error:
    for kinds, what, why, fix in _SETTINGS:
        if isinstance(error, kinds):
            return RequestError(f"{place} {what}.", why=f"{why} (boto3 says {type(error).__name__}.)", fix=fix)
    if any(words in f"{error} {getattr(error, 'kwargs', {}).get('error')}" for words in _NO_SUCH_HOST):
        return RequestError(f"{place} cannot be reached.", why="The endpoint's host name does not exist.", fix=_ADDRESS)
    why = f"The connection failed ({type(error).__name__})."
    return TransientError(f"{place} cannot be reached.", why=why, fix=f"Try again later. {_ADDRESS}")
