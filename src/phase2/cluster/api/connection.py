"""Connection to a cluster's API server: address and credentials of the kubeconfig, and HTTP requests."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode

from phase2.cluster.api.errors import NoClusterError, response_error
from phase2.cluster.api.kubeconfig import POD_TOKEN, kubeconfig, kubeconfig_files
from phase2.cluster.api.network_errors import network_errors
from phase2.cluster.api.service_account import pod_headers, pod_pool, pod_server
from phase2.errors import RequestError

if TYPE_CHECKING:
    import urllib3

JsonObject = dict[str, Any]
WarningCallback = Callable[[str], None]

_CONNECT_SECONDS, _READ_SECONDS = 5.0, 30.0
_WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')


def _ignore(_: str) -> None:
    return


class Connection:
    """Connection to one API server; safe to use from several threads.

    Args:
        pool: Connection pool with the kubeconfig's TLS settings.
        server: Address of the server.
        headers: Returns the authentication headers; called for each request, since tokens are renewed.
        on_warning: Callback receiving each warning of the server.

    Attributes:
        server: Address of the server.
    """

    def __init__(
        self,
        pool: urllib3.PoolManager,
        server: str,
        headers: Callable[[], Mapping[str, str]],
        on_warning: WarningCallback = _ignore,
    ) -> None:
        self.server = server
        self._pool = pool
        self._headers = headers
        self._on_warning = on_warning

    @classmethod
    def open(cls, context: str | None = None, *, on_warning: WarningCallback = _ignore) -> Self:
        """Open a connection with the kubeconfig (``$KUBECONFIG`` or ``~/.kube/config``) or this pod's service account.

        Args:
            context: Context of the kubeconfig; None is its current one.
            on_warning: Callback receiving each warning of the server.

        Raises:
            RequestError: There is no usable kubeconfig, or it has no such context.
        """
        if context is None and not kubeconfig_files() and POD_TOKEN.is_file():
            return cls(pod_pool(), pod_server(), pod_headers, on_warning)
        from kubernetes.client import ApiClient, Configuration

        settings = Configuration()
        _configure(settings, context)
        client = ApiClient(settings)
        pool = client.rest_client.pool_manager

        def headers() -> Mapping[str, str]:
            return {auth["key"]: auth["value"] for auth in settings.auth_settings().values() if auth["value"]}

        return cls(pool, settings.host.rstrip("/"), headers, on_warning)

    def request(
        self,
        method: str,
        path: str,
        *,
        action: str,
        query: Mapping[str, str] | None = None,
        body: JsonObject | None = None,
        content_type: str = "application/json",
    ) -> JsonObject:
        """Send a request and return the response.

        Args:
            method: HTTP method.
            path: Path of the API.
            action: What the request does, to follow "cannot" in an error.
            query: Query parameters.
            body: Content of the request.
            content_type: Media type of the content.

        Raises:
            RequestError: The server rejects the request.
            TransientError: The server does not answer, or is unavailable.
        """
        with self._open(method, path, action, query, body, content_type, _READ_SECONDS) as response:
            content = response.read()
        for text in _WARNING.findall(response.headers.get("Warning", "")):
            self._on_warning(text.replace('\\"', '"'))
        answer = json.loads(content)
        assert isinstance(answer, dict)  # noqa: S101 - every successful response is an object
        return answer

    def text(self, path: str, *, action: str, query: Mapping[str, str] | None = None) -> str:
        """Request a text; raises as :meth:`request` does."""
        with self._open("GET", path, action, query, None, "", _READ_SECONDS) as response:
            return bytes(response.read()).decode(errors="replace")

    def lines(
        self, path: str, *, action: str, query: Mapping[str, str] | None = None, silence: float | None = None
    ) -> Iterator[str]:
        """Yield the lines of a response as they arrive.

        Args:
            path: Path of the API.
            action: What the request does, to follow "cannot" in an error.
            query: Query parameters.
            silence: Longest time without data, seconds; None is unlimited.

        Raises:
            RequestError: The server rejects the request.
            TransientError: The server does not answer, or the connection breaks or is silent for too long.
        """
        with self._open("GET", path, action, query, None, "", silence) as response:
            rest = b""
            for piece in response.stream(1 << 16, decode_content=True):
                *whole, rest = (rest + piece).split(b"\n")
                yield from (line.decode(errors="replace") for line in whole)
            if rest:
                yield rest.decode(errors="replace")

    @contextmanager
    def _open(
        self,
        method: str,
        path: str,
        action: str,
        query: Mapping[str, str] | None,
        body: JsonObject | None,
        content_type: str,
        silence: float | None,
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        import urllib3

        url = f"{self.server}{path}" + (f"?{urlencode(query)}" if query else "")
        with network_errors(self.server):
            response = self._pool.request(
                method,
                url,
                body=None if body is None else json.dumps(body).encode(),
                headers={"Accept": "application/json, */*", "User-Agent": "phase2", **self._headers()}
                | ({} if body is None else {"Content-Type": content_type}),
                timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=silence),
                retries=False,
                preload_content=False,
            )
            try:
                if not 200 <= response.status < 300:
                    raise response_error(response.status, response.read(), action=action, server=self.server)
                yield response
                response.drain_conn()
            finally:
                response.close()


def _configure(settings: Any, context: str | None) -> None:
    """Set the address and the credentials."""
    import yaml
    from kubernetes import config

    files = kubeconfig_files()
    try:
        if not files:
            raise NoClusterError(
                "No cluster is configured.",
                why=f"There is no kubeconfig at {kubeconfig()}.",
                fix="Set KUBECONFIG to the file that the cluster's administrator gave you.",
            )
        config.load_kube_config(config_file=kubeconfig(), context=context, client_configuration=settings)
    except (config.ConfigException, yaml.YAMLError, KeyError, TypeError, OSError) as error:
        raise RequestError(
            f"The kubeconfig {kubeconfig()} cannot be used.",
            why=" ".join(str(error).split()) + ".",
            fix="Check it with 'kubectl config view', or name another context with --context.",
        ) from error
