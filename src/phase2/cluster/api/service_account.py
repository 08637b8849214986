"""The service account of this pod: the API server's address, its certificate authority, and a token.

The official client is not needed for these, so that an image without the extra ``cluster`` can ask its cluster.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING

from phase2.cluster.api.kubeconfig import POD_TOKEN
from phase2.errors import RequestError

if TYPE_CHECKING:
    import urllib3

_FIX = "Run it in a pod with automountServiceAccountToken: true, or set KUBECONFIG."


def pod_server() -> str:
    """Return the address of the API server, which Kubernetes puts into the environment of every pod.

    Raises:
        RequestError: It is not there.
    """
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        why = "$KUBERNETES_SERVICE_HOST is not set."
        raise RequestError("This pod does not know its API server.", why=why, fix=_FIX)
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def pod_pool() -> urllib3.PoolManager:
    """Return a connection pool that trusts the cluster's certificate authority alone.

    Raises:
        RequestError: The certificate of the authority cannot be read.
    """
    import urllib3

    file = POD_TOKEN.with_name("ca.crt")
    try:
        trust = ssl.create_default_context(cafile=str(file))
    except (OSError, ssl.SSLError) as error:
        raise RequestError(f"{file} cannot be used.", why=f"{error}.", fix=_FIX) from error
    # Authorities of clusters often lack what the strict check of Python 3.13 asks for; other clients accept them.
    trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return urllib3.PoolManager(ssl_context=trust)


def pod_headers() -> Mapping[str, str]:
    """Return the authentication headers; the token is read anew, since the node renews its file.

    Raises:
        RequestError: The token cannot be read.
    """
    try:
        return {"authorization": f"Bearer {POD_TOKEN.read_text(encoding='utf-8').strip()}"}
    except OSError as error:
        raise RequestError(f"{POD_TOKEN} cannot be read.", why=f"{error.strerror}.", fix=_FIX) from error
