"""Whose an object is: the client asks the server who the user is, and says so in what it creates."""

import json

import pytest
from tests.cluster.support.api_server import Answer, serving

from phase2.cluster.api.client import RunClient
from phase2.cluster.api.connection import Connection
from phase2.cluster.api.errors import ForbiddenError, response_error
from phase2.cluster.backends.registry import CLUSTER_BACKENDS

REVIEW = Answer(body={"kind": "SelfSubjectReview", "status": {"userInfo": {"username": "ada@example.com"}}})
CREATED = Answer(201, {"kind": "Job"})
JOB = {"metadata": {"name": "phase2-a", "annotations": {"phase2.dev/command": "phase2 train"}}}


@pytest.fixture
def sent(monkeypatch, tmp_path):
    """Return what is created on a server with these answers."""

    def create(*answers, times=1):
        with serving(*answers) as api:
            monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig(tmp_path)))
            client = RunClient(Connection.open(), "materials", CLUSTER_BACKENDS["job"])
            for _ in range(times):
                client.create(JOB)
        return api.requests

    return create


def test_an_object_says_whose_it_is(sent):
    (_, path, _, _), (_, _, _, body) = sent(REVIEW, CREATED)
    assert path == "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    assert body["metadata"]["annotations"] == {
        "phase2.dev/command": "phase2 train",
        "phase2.dev/owner": "ada@example.com",
    }
    assert "phase2.dev/owner" not in JOB["metadata"]["annotations"]


def test_the_server_is_asked_once(sent):
    paths = [path.partition("?")[0] for _, path, _, _ in sent(REVIEW, CREATED, times=3)]
    assert paths == [
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        *["/apis/batch/v1/namespaces/materials/jobs"] * 3,
    ]


@pytest.mark.parametrize("status", [403, 404])
def test_a_server_that_does_not_say_it_leaves_the_object_as_it_is(sent, status):
    message = 'selfsubjectreviews.authentication.k8s.io is forbidden: User "ada" cannot create resource '
    message += '"selfsubjectreviews" in API group "authentication.k8s.io" at the cluster scope'
    (_, _, _, body) = sent(Answer(status, {"message": message if status == 403 else ""}), CREATED)[-1]
    assert body == JOB


def test_what_is_another_person_s_is_refused_in_a_sentence():
    message = (
        "jobs.batch \"phase2-a\" is forbidden: ValidatingAdmissionPolicy 'phase2-owners-team' with binding "
        "'phase2-owners-team' denied request: The Job phase2-a is of bob, and you are ada. Ask that person, or a "
        "maintainer of the installation."
    )
    body = json.dumps({"message": message}).encode()
    error = response_error(403, body, action="stop the Job phase2-a", server="s")
    assert isinstance(error, ForbiddenError)
    assert (error.what, error.why, error.fix, error.exit_code) == (
        "You may not stop the Job phase2-a.",
        "The Job phase2-a is of bob, and you are ada.",
        "Ask that person, or a maintainer of the installation.",
        2,
    )
