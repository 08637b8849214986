"""Network and TLS errors on the way to an API server, as errors that say what to do."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from phase2.cluster.api.errors import unreachable
from phase2.errors import Phase2Error, RequestError

# urllib3 prefixes the reason with the connection object.
_CONNECTION = re.compile(r"^<?\w+\(.*?\)>?: ")


@contextmanager
def network_errors(server: str) -> Iterator[None]:
    """Convert the network errors of a block to errors of phase2.

    Raises:
        RequestError: The certificate is not trusted or has expired.
        TransientError: The server cannot be reached, or the connection broke.
    """
    from urllib3 import exceptions as network

    try:
        yield
    except Phase2Error:
        raise
    except (network.SSLError, ssl.SSLError) as error:
        raise _tls(server, str(error)) from error
    except (network.HTTPError, OSError) as error:
        if isinstance(found := getattr(error, "reason", None), (network.SSLError, ssl.SSLError)):
            raise _tls(server, str(found)) from error
        raise unreachable(server, _reason(error)) from error


def _tls(server: str, message: str) -> RequestError:
    expired = "expired" in message
    return RequestError(
        f"No trusted connection to the cluster {server}.",
        why="A certificate has expired." if expired else f"{message.partition(' (_ssl.c')[0].strip('( ')}.",
        fix="Fetch a new kubeconfig, and check this machine's clock."
        if expired
        else "Check 'server' and 'certificate-authority' in the kubeconfig.",
    )


def _reason(error: Exception) -> str:
    text = " ".join(str(getattr(error, "reason", None) or error).split())
    return _CONNECTION.sub("", text).rstrip(".") or type(error).__name__
