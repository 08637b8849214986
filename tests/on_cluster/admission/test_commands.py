"""``phase2 submit``, ``cancel`` and ``submit`` again under the policies, as people with tokens of their own."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from tests.on_cluster.admission.namespaces import IMAGE, NAMESPACE
from tests.on_cluster.lab.permissions import bind_role

from phase2.cli import main

pytestmark = pytest.mark.cluster

DORA, EMIL = "dora", "emil"
SUBMIT = ["submit", "--algorithm", "cgcnn", "--level", "smoke", "--namespace", NAMESPACE, "--queue", "nobody"]
"""A run in a queue that nobody empties: no pod is made."""


@pytest.fixture(scope="module")
def kubeconfigs(cluster, policies, tmp_path_factory):
    """Files with a token for each of two people who may submit."""
    folder = tmp_path_factory.mktemp("people")
    return {name: _signed_in(cluster, name, folder / name) for name in (DORA, EMIL)}


def _signed_in(cluster, name, file):
    place = ["--namespace", NAMESPACE]
    cluster.kubectl("create", "serviceaccount", name, *place)
    account = f"--serviceaccount={NAMESPACE}:{name}"
    bind_role(cluster, name, "--role=phase2-submitter", account, namespace=NAMESPACE)
    settings = yaml.safe_load(Path(cluster.kubeconfig).read_text())
    token = cluster.kubectl("create", "token", name, *place).stdout.strip()
    settings["users"] = [{"name": settings["users"][0]["name"], "user": {"token": token}}]
    authority = settings["clusters"][0]["cluster"]
    if "certificate-authority" in authority:  # the new file is in another folder
        authority["certificate-authority"] = str(Path(cluster.kubeconfig).parent / authority["certificate-authority"])
    settings["contexts"][0]["context"]["user"] = settings["users"][0]["name"]
    file.write_text(yaml.safe_dump(settings))
    return str(file)


@pytest.fixture
def phase2(kubeconfigs, monkeypatch, capsys):
    """The command line of a person; returns exit code, standard output and standard error."""

    def run(person, *words):
        monkeypatch.setenv("KUBECONFIG", kubeconfigs[person])
        monkeypatch.setenv("PHASE2_IMAGE", f"{IMAGE}:1")
        monkeypatch.delenv("PHASE2_STORE", raising=False)
        capsys.readouterr()
        code = main(list(words))
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def user(name):
    return f"system:serviceaccount:{NAMESPACE}:{name}"


def job(cluster, run_id):
    words = ["get", "job", f"phase2-{run_id}", "--namespace", NAMESPACE, "--output=json", "--ignore-not-found"]
    text = cluster.kubectl(*words).stdout
    return json.loads(text) if text else None


def test_a_run_is_its_submitter_s_and_nobody_else_stops_it(cluster, phase2):
    code, _, err = phase2(DORA, *SUBMIT, "--run-id", "of-dora")
    assert code == 0, err
    assert job(cluster, "of-dora")["metadata"]["annotations"]["phase2.dev/owner"] == user(DORA)
    code, _, err = phase2(EMIL, "cancel", "of-dora", "--yes", "--namespace", NAMESPACE)
    assert code == 2
    assert err.splitlines()[0] == "error: You may not delete the Job phase2-of-dora."
    assert f"is of {user(DORA)}, and you are {user(EMIL)}." in " ".join(err.split())
    assert "Ask that person, or a maintainer of the installation." in " ".join(err.split())
    assert job(cluster, "of-dora") is not None
    code, _out, err = phase2(DORA, "cancel", "of-dora", "--yes", "--namespace", NAMESPACE)
    assert (code, err) == (0, "")
    assert job(cluster, "of-dora") is None


def test_another_person_does_not_replace_a_run_that_failed(cluster, phase2):
    assert phase2(DORA, *SUBMIT, "--run-id", "failed")[0] == 0
    name = ["job/phase2-failed", "--namespace", NAMESPACE]
    now = datetime.now(UTC).isoformat(timespec="seconds")
    failed = {"type": "Failed", "status": "True", "lastTransitionTime": now, "lastProbeTime": now}
    target = {**failed, "type": "FailureTarget"}
    status = {"startTime": now, "conditions": [target, failed]}
    patch = json.dumps({"status": status})
    cluster.kubectl("patch", *name, "--subresource=status", "--type=merge", "--patch", patch)
    code, _, err = phase2(EMIL, *SUBMIT, "--run-id", "failed")
    assert code == 2
    assert "You may not delete the Job phase2-failed." in err
    code, out, err = phase2(DORA, *SUBMIT, "--run-id", "failed")
    assert code == 0, err
    assert "submitted again" in out + err
