"""Somebody who asks the API server under a name and groups, with no more than the rights of these."""

import json
import os
import subprocess
from typing import Any

from tests.on_cluster.lab.building import builds
from tests.on_cluster.lab.cluster import Cluster


class Person:
    """Person of a namespace.

    Args:
        cluster: The cluster, whose administrator may act for anybody.
        name: User name.
        groups: Groups besides that of everybody who is known.
    """

    def __init__(self, cluster: Cluster, name: str, *groups: str) -> None:
        self._cluster = cluster
        named = [f"--as-group={group}" for group in (*groups, "system:authenticated")]
        self._words = [f"--as={name}", *named, f"--namespace={cluster.namespace}"]

    def create(self, body: dict[str, Any], *words: str) -> str:
        """Create an object; returns what a refusal says."""
        return self._kubectl("create", "--filename=-", *words, stdin=json.dumps(body))

    def patch(self, kind: str, name: str, body: dict[str, Any], *words: str) -> str:
        """Merge a patch into an object; returns what a refusal says."""
        return self._kubectl("patch", kind, name, "--type=merge", f"--patch={json.dumps(body)}", *words)

    def delete(self, kind: str, name: str, *words: str) -> str:
        """Delete an object; returns what a refusal says."""
        return self._kubectl("delete", kind, name, *words)

    def argo(self, *words: str) -> tuple[bool, str]:
        """Run Argo's command line.

        Returns:
            Whether it ended well, and its output.
        """
        command = [str(builds.argo(self._cluster.folders)), *words, *self._words]
        environment = os.environ | {"KUBECONFIG": self._cluster.kubeconfig}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done.returncode == 0, done.stdout + done.stderr

    def _kubectl(self, *words: str, stdin: str | None = None) -> str:
        done = self._cluster.kubectl(*words, *self._words, stdin=stdin, check=False)
        return done.stderr if done.returncode else ""
