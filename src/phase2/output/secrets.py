"""Removal of what grants access from a text: keys, signatures, and the parts of addresses that carry them."""

from __future__ import annotations

import re

HIDDEN = "***"

# With one slash, too: that is what becomes of an address that was taken for a path.
_SCHEME = r"\b(?:[A-Za-z][A-Za-z0-9+.-]{0,20}://|(?:https?|s3|ftp):/)"
_ADDRESS = re.compile(rf"(?P<scheme>{_SCHEME})(?P<rest>[^\s'\"<>`|\\]+)")
_KEYS = re.compile(
    r"(?i)(?P<name>\b(?:X-Amz-(?:Signature|Credential|Security-Token)|AWS_?(?:SECRET_?ACCESS_?KEY|ACCESS_?KEY_?ID"
    r"|SESSION_?TOKEN)|AWSAccessKeyId|Signature|Credential|(?:Secret|Access)[-_ ]?Key|Security[-_ ]?Token)"
    r"['\"]?\s*[=:]\s*['\"]?)(?P<value>[^\s&'\",;)]{8,})"
)
_BEARER = re.compile(r"(?i)(?P<name>\b(?:Bearer|Basic|AWS4-HMAC-SHA256)\s+)(?P<value>[A-Za-z0-9._~+/=-]{16,})")
_ACCESS_KEY = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")


def without_secrets(text: str) -> str:
    """Return a text without keys, signatures, and user info, queries and fragments of addresses.

    Idempotent; a text without an address or a key is returned as it is.

    Example:
        >>> without_secrets("GET https://me:pw@host/a.json?X-Amz-Signature=abc failed")
        'GET https://host/a.json?*** failed'
    """
    found = text
    if ":/" in found:
        found = _ADDRESS.sub(_bare, found)
    found = _KEYS.sub(rf"\g<name>{HIDDEN}", found)
    found = _BEARER.sub(rf"\g<name>{HIDDEN}", found)
    return _ACCESS_KEY.sub(HIDDEN, found)


def _bare(match: re.Match[str]) -> str:
    rest = match["rest"]
    end = min((k for k in map(rest.find, "?#") if k >= 0), default=len(rest))
    before, behind = rest[:end], rest[end:]
    host, slash, path = before.partition("/")
    # Punctuation of the sentence around it is no query.
    cut = behind if len(behind) <= 1 or behind.startswith(f"?{HIDDEN}") else f"{behind[0]}{HIDDEN}"
    return f"{match['scheme']}{host.rpartition('@')[2]}{slash}{path}{cut}"
