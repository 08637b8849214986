"""Users of a namespace, each with a kubeconfig: one with the Role of k8s/base, one without permissions."""

import json
from pathlib import Path

import yaml
from tests.on_cluster.lab.cluster_base import ClusterBase
from tests.on_cluster.lab.permissions import bind_role

NAMESPACE = "phase2-users"
ROLE = Path(__file__).parents[3] / "k8s" / "base" / "submitter.yaml"
MAY_SUBMIT, MAY_NOTHING = "may-submit", "may-nothing"


class Users:
    """Users of a namespace with restricted Pod Security that contains nothing for runs but their service account.

    Args:
        cluster: The cluster.
        folder: Folder for the kubeconfigs.
    """

    def __init__(self, cluster: ClusterBase, folder: Path) -> None:
        self.cluster = cluster
        self._folder = folder

    def set_up(self) -> None:
        levels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
        self.apply(_object("Namespace", NAMESPACE, labels=levels))
        accounts = ("phase2-runner", MAY_SUBMIT, MAY_NOTHING)
        self.apply(*(_object("ServiceAccount", name, namespace=NAMESPACE) for name in accounts))
        self.kubectl("apply", "-f", str(ROLE))
        account = f"--serviceaccount={NAMESPACE}:{MAY_SUBMIT}"
        bind_role(self.cluster, MAY_SUBMIT, "--role=phase2-submitter", account, namespace=NAMESPACE)

    def tear_down(self) -> None:
        self.cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false", check=False)

    def kubeconfig(self, user: str) -> str:
        """Return the path of a kubeconfig with a token of a user."""
        file = self._folder / user
        if not file.exists():
            file.write_text(json.dumps(self._settings(user)))
        return str(file)

    def _settings(self, user: str) -> dict:
        file = Path(self.cluster.kubeconfig)
        settings = yaml.safe_load(file.read_text())
        token = self.kubectl("create", "token", user).strip()
        name = settings["contexts"][0]["name"]
        settings["users"] = [{"name": user, "user": {"token": token}}]
        where = {"cluster": settings["clusters"][0]["name"], "user": user, "namespace": NAMESPACE}
        settings["contexts"] = [{"name": name, "context": where}]
        settings["current-context"] = name
        place = settings["clusters"][0]["cluster"]
        if "certificate-authority" in place:  # the new file is in another folder
            place["certificate-authority"] = str(file.parent / place["certificate-authority"])
        return settings

    def kubectl(self, *words: str) -> str:
        return self.cluster.kubectl(*words, f"--namespace={NAMESPACE}").stdout

    def apply(self, *objects: dict) -> None:
        everything = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.cluster.kubectl("apply", "-f", "-", stdin=json.dumps(everything))


def _object(kind: str, name: str, **metadata: object) -> dict:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, **metadata}}
