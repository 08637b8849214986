"""API server that stores and validates objects: a cluster without controllers."""

import json
import re
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import kubernetes_validate
from hera.workflows import models
from tests.argo.manifests import TEMPLATES as MANIFESTS
from tests.cluster.support.api_server import ApiServer, JsonHandler, listening
from tests.cluster.support.definitions import complaints, read_definitions

KUBERNETES = "1.34"
JOBS = "/apis/batch/v1 jobs"
JOBSETS = "/apis/jobset.x-k8s.io/v1alpha2 jobsets"
TRAINJOBS, RUNTIMES = (f"/apis/trainer.kubeflow.org/v1alpha1 {plural}" for plural in ("trainjobs", "trainingruntimes"))
DEFINITIONS = read_definitions(Path(__file__).parents[1] / "crds")
WORKFLOWS, TEMPLATES = (f"/apis/argoproj.io/v1alpha1 {plural}" for plural in ("workflows", "workflowtemplates"))
PODS, EVENTS, CONFIG_MAPS, SERVICES = (f"/api/v1 {plural}" for plural in ("pods", "events", "configmaps", "services"))
EVERY_KIND = (
    JOBS, WORKFLOWS, TEMPLATES, PODS, EVENTS, CONFIG_MAPS, SERVICES, JOBSETS, TRAINJOBS, RUNTIMES
)  # fmt: skip

_PATH = re.compile(
    r"(?P<group>/apis?/[^/]+(?:/v[^/]+)?)(?:/namespaces/(?P<namespace>[^/]+))?/(?P<plural>[a-z]+)(?:/(?P<name>.+))?"
)


class Objects(Protocol):
    """Objects of a cluster, as a test that simulates its controllers needs them."""

    def all(self, kind: str) -> list[dict[str, Any]]: ...
    def get(self, kind: str, name: str) -> dict[str, Any]: ...
    def put(self, kind: str, one: dict[str, Any]) -> None: ...
    def patch(self, kind: str, name: str, change: dict[str, Any]) -> dict[str, Any]: ...


class StoredApi:
    """Objects by kind and name, with their history.

    Attributes:
        kinds: The known kinds: path of the API group, and plural.
        hidden: Plurals that the user has no permission for.
        hides_cluster: Whether the user has no permission for more than one namespace at once.
        requests: All requests: method and path.
        logs: Logs of pods by name.
    """

    def __init__(self, *kinds: str) -> None:
        self.kinds = set(kinds or EVERY_KIND)
        self.hidden: set[str] = set()
        self.hides_cluster = False
        self.requests: list[tuple[str, str]] = []
        self.logs: dict[str, str] = {}
        self.url = ""
        self._objects: dict[tuple[str, str], dict[str, Any]] = {}
        self._history: list[tuple[str, str, dict[str, Any]]] = []
        self._allowed: dict[str, tuple[int, str]] = {}
        self._changed = threading.Condition()

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Return the objects of a kind."""
        return [one for (found, _), one in self._objects.items() if found == kind]

    def get(self, kind: str, name: str) -> dict[str, Any]:
        return self._objects[kind, name]

    def put(self, kind: str, one: dict[str, Any]) -> None:
        """Create an object, or replace it."""
        name = one["metadata"]["name"]
        self._note("MODIFIED" if (kind, name) in self._objects else "ADDED", kind, one)

    def patch(self, kind: str, name: str, change: dict[str, Any]) -> dict[str, Any]:
        """Change an object (RFC 7386)."""
        made = merged(self._objects[kind, name], change)
        self._note("MODIFIED", kind, made)
        return made

    def remove(self, kind: str, name: str) -> None:
        self._note("DELETED", kind, self._objects[kind, name])

    def changes(self, kind: str, since: int, seconds: float) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the changes of objects of a kind after a resource version, for some seconds."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with self._changed:
                while self.version <= since and self._changed.wait(deadline - time.monotonic()):
                    continue
                new = self._history[since:]
            since += len(new)
            yield from ((event, one) for event, found, one in new if found == kind)

    @contextmanager
    def refusing(self, kind: str, *, after: int, message: str) -> Iterator[None]:
        """Accept a number of further objects of a kind, and reject all others, for the duration of a block."""
        self._allowed[kind] = (after, message)
        yield
        del self._allowed[kind]

    def allow(self, kind: str) -> str | None:
        """Return why a further object of a kind is rejected; None if it is accepted."""
        left, message = self._allowed.get(kind, (1, ""))
        if kind in self._allowed:
            self._allowed[kind] = (left - 1, message)
        return None if left > 0 else message

    @property
    def version(self) -> int:
        return len(self._history)

    def _note(self, event: str, kind: str, one: dict[str, Any]) -> None:
        with self._changed:
            made = merged(one, {"metadata": {"resourceVersion": str(len(self._history) + 1)}})
            key = (kind, made["metadata"]["name"])
            if event == "DELETED":
                self._objects.pop(key)
            else:
                self._objects[key] = made
            self._history.append((event, kind, made))
            self._changed.notify_all()


def merged(one: Any, change: Any) -> Any:
    """Apply a JSON merge patch."""
    if not isinstance(change, dict):
        return change
    base = one if isinstance(one, dict) else {}
    made = {key: value for key, value in base.items() if key not in change}
    return made | {key: merged(base.get(key), value) for key, value in change.items() if value is not None}


class _RefusedError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Request:
    """Request and its response."""

    def __init__(self, api: StoredApi, method: str, address: str, body: Any) -> None:
        parts = urlsplit(address)
        self.api, self.method, self.path, self.body = api, method, parts.path, body
        self.query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        found = _PATH.fullmatch(parts.path)
        self.where = found.groupdict() if found else None
        self.kind = f"{self.where['group']} {self.where['plural']}" if self.where else ""

    def answer(self) -> Any:
        if self.where is None:
            return self._discovery()
        if self.where["plural"] in self.api.hidden or (self.api.hides_cluster and not self.where["namespace"]):
            group = self.where["group"].split("/")[2]
            namespace = self.where["namespace"]
            scope = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
            raise _RefusedError(
                403, f'{self.where["plural"]}.{group} is forbidden: User "ada" cannot {self._verb()} resource '
                f'"{self.where["plural"]}" in API group "{group}" {scope}',
            )  # fmt: skip
        if self.kind not in self.api.kinds:
            raise _RefusedError(404, "")
        name = (self.where["name"] or "").partition("/")
        if name[2] == "log":
            return self.api.logs[name[0]].encode()
        if self.method == "POST":
            return self._create()
        if not name[0]:
            items = [one for one in self.api.all(self.kind) if self._is_wanted(one)]
            return {"metadata": {"resourceVersion": str(self.api.version)}, "items": items}
        if (self.kind, name[0]) not in self.api._objects:
            raise _RefusedError(404, f'{self.where["plural"]} "{name[0]}" not found')
        if self.method == "PATCH":
            return self.api.patch(self.kind, name[0], self.body)
        found = self.api.get(self.kind, name[0])
        if self.method == "DELETE":
            self.api.remove(self.kind, name[0])
        return found

    def watched(self) -> Iterator[bytes]:
        since = int(self.query.get("resourceVersion") or self.api.version)
        if "resourceVersion" not in self.query:
            yield from (self._line("ADDED", one) for one in self.api.all(self.kind) if self._is_wanted(one))
        seconds = float(self.query["timeoutSeconds"])
        yield from (
            self._line(e, one) for e, one in self.api.changes(self.kind, since, seconds) if self._is_wanted(one)
        )

    def _line(self, event: str, one: dict[str, Any]) -> bytes:
        return json.dumps({"type": event, "object": one}).encode() + b"\n"

    def _create(self) -> dict[str, Any]:
        assert self.where is not None
        one = self.body
        _validate(one)
        if (self.kind, one["metadata"]["name"]) in self.api._objects:
            raise _RefusedError(409, f'{self.where["plural"]} "{one["metadata"]["name"]}" already exists')
        if (why := self.api.allow(self.kind)) is not None:
            raise _RefusedError(403, why)
        if "dryRun" not in self.query:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            self.api.put(self.kind, merged(one, {"metadata": {"uid": str(uuid.uuid4()), "creationTimestamp": now}}))
        return one

    def _discovery(self) -> dict[str, Any]:
        plurals = [kind.split()[1] for kind in self.api.kinds if kind.split()[0] == self.path]
        if not plurals:
            raise _RefusedError(404, "")
        return {"kind": "APIResourceList", "resources": [{"name": plural} for plural in plurals]}

    def _is_wanted(self, one: dict[str, Any]) -> bool:
        assert self.where is not None
        namespace = self.where["namespace"]
        if namespace and one["metadata"].get("namespace", namespace) != namespace:
            return False
        labels = one["metadata"].get("labels") or {}
        pairs = [word.split("=", 1) for word in self.query.get("labelSelector", "").split(",") if word]
        name = self.query.get("fieldSelector", "").removeprefix("metadata.name=")
        return all(labels.get(key) == value for key, value in pairs) and name in {"", one["metadata"]["name"]}

    def _verb(self) -> str:
        assert self.where is not None
        named = self.where["name"] is not None
        verbs = {"GET": "get" if named else "list", "POST": "create", "PATCH": "patch", "DELETE": "delete"}
        return verbs[self.method]


def _validate(one: dict[str, Any]) -> None:
    try:
        if one["kind"] == "Workflow":
            models.Workflow.model_validate(one, extra="forbid")
        elif one["kind"] == "TrainJob":
            assert not (found := complaints(one, DEFINITIONS)), found
        elif one["kind"] == "JobSet":
            assert not (found := complaints(one, DEFINITIONS)), found
            for replicated in one["spec"]["replicatedJobs"]:
                job = {"apiVersion": "batch/v1", "kind": "Job", **replicated["template"]}
                kubernetes_validate.validate(job, KUBERNETES, strict=True)
        else:
            kubernetes_validate.validate(one, KUBERNETES, strict=True)
    except Exception as error:
        raise _RefusedError(422, f"{one['kind']} is invalid: {error}") from error


@contextmanager
def storing(*kinds: str) -> Iterator[StoredApi]:
    """An API server for the length of a block."""
    api = StoredApi(*kinds)

    class Handler(JsonHandler):
        def _answer(self) -> None:
            body = self.read_json()
            api.requests.append((self.command, self.path))
            request = _Request(api, self.command, self.path, body)
            if request.query.get("watch") == "true":
                self._stream(request)
                return
            try:
                answer = request.answer()
                status = 201 if self.command == "POST" else 200
            except _RefusedError as error:
                status = error.status
                answer = (
                    {"kind": "Status", "message": str(error), "code": status} if str(error) else b"404 page not found"
                )
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _stream(self, request: _Request) -> None:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            try:
                for line in request.watched():
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                    self.wfile.flush()
                self.wfile.write(b"0\r\n\r\n")
            except OSError:  # the client has closed the watch
                self.close_connection = True

        do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815

    with listening(Handler) as api.url:
        yield api


def install_templates(api: StoredApi) -> None:
    """Install the templates of 'kubectl apply -k argo'."""
    for template in MANIFESTS.values():
        api.put(TEMPLATES, template)


def kubeconfig(api: StoredApi, folder: Any) -> str:
    """Write a kubeconfig for the server."""
    return str(ApiServer(api.url, []).kubeconfig(folder))
