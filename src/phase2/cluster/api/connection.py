"""The way to a cluster's API server: the kubeconfig's address and credentials, and one HTTP request at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode

from phase2.cluster.api.kubeconfig import POD_TOKEN, kubeconfig, kubeconfig_files
from phase2.cluster.api.network_errors import network_errors
from phase2.cluster.api.refusals import refusal
from phase2.errors import RequestError

if TYPE_CHECKING:
    import urllib3

Object = dict[str, Any]
Note = Callable[[str], None]

_CONNECT_SECONDS, _READ_SECONDS = 5.0, 30.0
_WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')


def _quiet(_: str) -> None:
    return


class Connection:
    """A connection to one API server, used from several threads at once.

    Args:
        pool: Connections of the kubeconfig's TLS settings.
        server: Address of the server.
        headers: Makes the headers that say who asks; called for each request, since tokens are renewed.
        on_warning: Is told about each warning of the server.

    Attributes:
        server: The same.
    """

    def __init__(
        self,
        pool: urllib3.PoolManager,
        server: str,
        headers: Callable[[], Mapping[str, str]],
        on_warning: Note = _quiet,
    ) -> None:
        self.server = server
        self._pool = pool
        self._headers = headers
        self._on_warning = on_warning

    @classmethod
    def open(cls, context: str | None = None, *, on_warning: Note = _quiet) -> Self:
        """Read the kubeconfig (``$KUBECONFIG`` or ``~/.kube/config``), or the service account of this pod.

        Args:
            context: The kubeconfig's context; None is its current one.
            on_warning: Is told about each warning of the server.

        Raises:
            RequestError: There is no usable kubeconfig, or it has no such context.
        """
        from kubernetes.client import ApiClient, Configuration

        settings = Configuration()
        _configure(settings, context)
        client = ApiClient(settings)
        pool = client.rest_client.pool_manager

        def headers() -> Mapping[str, str]:
            return {one["key"]: one["value"] for one in settings.auth_settings().values() if one["value"]}

        return cls(pool, settings.host.rstrip("/"), headers, on_warning)

    def request(
        self,
        method: str,
        path: str,
        *,
        action: str,
        query: Mapping[str, str] | None = None,
        body: Object | None = None,
        content_type: str = "application/json",
    ) -> Object:
        """Ask for one thing and return the answer.

        Args:
            method: HTTP method.
            path: Path of the API.
            action: What is asked for, to follow "cannot" in an error.
            query: Parameters.
            body: What is sent.
            content_type: What kind of thing that is.

        Raises:
            RequestError: The server refuses it.
            TransientError: The server does not answer, or cannot serve now.
        """
        with self._open(method, path, action, query, body, content_type, _READ_SECONDS) as response:
            content = response.read()
        for text in _WARNING.findall(response.headers.get("Warning", "")):
            self._on_warning(text.replace('\\"', '"'))
        answer = json.loads(content)
        assert isinstance(answer, dict)  # noqa: S101 - whatever is not an error is an object
        return answer

    def text(self, path: str, *, action: str, query: Mapping[str, str] | None = None) -> str:
        """Ask for a text; raises as :meth:`request` does."""
        with self._open("GET", path, action, query, None, "", _READ_SECONDS) as response:
            return bytes(response.read()).decode(errors="replace")

    def lines(
        self, path: str, *, action: str, query: Mapping[str, str] | None = None, silence: float | None = None
    ) -> Iterator[str]:
        """Yield the lines of an answer as they come.

        Args:
            path: Path of the API.
            action: What is asked for, to follow "cannot" in an error.
            query: Parameters.
            silence: Longest time without a line, seconds; None is for ever.

        Raises:
            RequestError: The server refuses it.
            TransientError: The server does not answer, falls silent, or breaks off.
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
        body: Object | None,
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
                    raise refusal(response.status, response.read(), action=action, server=self.server)
                yield response
                response.drain_conn()
            finally:
                response.close()


def _configure(settings: Any, context: str | None) -> None:
    """Fill in the address and the credentials."""
    import yaml
    from kubernetes import config

    there = kubeconfig_files()
    try:
        if not there and context is None and POD_TOKEN.is_file():
            config.load_incluster_config(client_configuration=settings)
            return
        if not there:
            raise RequestError(
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
