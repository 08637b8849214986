"""Requests of people to the API server, most of them dry runs: nothing is stored, and the answer takes milliseconds."""

import json
from typing import Any
from urllib.parse import urlencode

from kubernetes.client import ApiClient

ALICE, BOB = "alice@example.com", "bob@example.com"
SUBMITTERS, MAINTAINERS, ADMINISTRATORS = "phase2-submitters", "phase2-maintainers", "system:masters"

_PLACES = {
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
    "CronJob": "/apis/batch/v1/namespaces/{}/cronjobs",
    "Workflow": "/apis/argoproj.io/v1alpha1/namespaces/{}/workflows",
    "Pod": "/api/v1/namespaces/{}/pods",
    "PodTemplate": "/api/v1/namespaces/{}/podtemplates",
    "ReplicationController": "/api/v1/namespaces/{}/replicationcontrollers",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "ReplicaSet": "/apis/apps/v1/namespaces/{}/replicasets",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
}
_MERGE, _STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"


class Person:
    """Somebody with the permissions of groups, whom the API server takes for a signed-in user.

    Args:
        api: API client of an administrator, who may impersonate.
        namespace: Namespace of the requests.
        name: Name of the user.
        group: Group of the user.
    """

    def __init__(self, api: ApiClient, namespace: str, name: str, group: str | None = None) -> None:
        self.name = name
        self._pool, self._server = api.rest_client.pool_manager, api.configuration.host
        self._namespace = namespace
        self._headers = {"Impersonate-User": name} | ({"Impersonate-Group": group} if group else {})

    def create(self, thing: dict[str, Any], *, store: bool = False) -> str | None:
        """Create an object; returns why the server refuses it, None if it accepts it."""
        return self._refusal("POST", self._place(thing["kind"]), thing, store=store)

    def created(self, thing: dict[str, Any]) -> dict[str, Any]:
        """Return an object as the server would store it."""
        return self._request("POST", self._place(thing["kind"]), thing, dry_run=True)

    def patch(
        self, kind: str, name: str, patch: dict[str, Any], *, store: bool = False, subresource: str = ""
    ) -> str | None:
        """Change an object; returns why the server refuses it."""
        content = _MERGE if kind == "Workflow" else _STRATEGIC
        return self._refusal("PATCH", f"{self._place(kind)}/{name}{subresource}", patch, store=store, content=content)

    def delete(self, kind: str, name: str, *, store: bool = False) -> str | None:
        """Delete an object; returns why the server refuses it."""
        options: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        options |= {} if store else {"dryRun": ["All"]}
        return self._refusal("DELETE", f"{self._place(kind)}/{name}", options, store=store)

    def connect(self, path: str) -> str | None:
        """Connect to a path such as ``pods/name/exec``, for which there is no dry run; returns why it is refused."""
        return self._refusal("POST", f"/api/v1/namespaces/{self._namespace}/{path}", {}, store=True)

    def rules(self) -> list[dict[str, Any]]:
        """Return the permissions in the namespace, as ``kubectl auth can-i --list`` shows them."""
        review = {"kind": "SelfSubjectRulesReview", "apiVersion": "authorization.k8s.io/v1"}
        path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
        found = self._request("POST", path, {**review, "spec": {"namespace": self._namespace}})
        return list(found["status"]["resourceRules"])

    def _place(self, kind: str) -> str:
        return _PLACES[kind].format(self._namespace)

    def _refusal(
        self, method: str, path: str, body: dict[str, Any], *, store: bool, content: str = "application/json"
    ) -> str | None:
        answer = self._request(method, path, body, dry_run=not store, content=content)
        return str(answer["message"]) if answer.get("status") == "Failure" else None

    def _request(
        self,
        method: str,
        path: str,
        body: dict[str, Any],
        *,
        dry_run: bool = False,
        content: str = "application/json",
    ) -> dict[str, Any]:
        """Return what the server answers, a refusal included."""
        query = {"dryRun": "All"} if dry_run else {}
        query |= {} if method == "DELETE" else {"fieldValidation": "Strict"}
        response = self._pool.request(
            method,
            f"{self._server}{path}{'&' if '?' in path else '?'}{urlencode(query)}",
            body=json.dumps(body),
            headers={**self._headers, "Content-Type": content, "Accept": "application/json"},
        )
        try:
            found = json.loads(response.data)
        except ValueError:
            return {"status": "Failure", "message": response.data.decode()}
        assert isinstance(found, dict)
        return found
