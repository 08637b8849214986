"""Error responses of the API server: one clear sentence, and an exit code that tells whether a retry may help."""

import json

import pytest

from phase2.cluster.api.errors import (
    ForbiddenError,
    ObjectConflictError,
    ObjectGoneError,
    WatchExpiredError,
    response_error,
)
from phase2.cluster.request.quotas import quota_message
from phase2.errors import RequestError, TransientError

FORBIDDEN = (
    'jobs.batch is forbidden: User "system:serviceaccount:phase2:nobody" cannot create resource "jobs" in API group '
    '"batch" in the namespace "phase2"'
)
NO_WORKFLOWS = (
    'workflows.argoproj.io is forbidden: User "ada" cannot create resource "workflows" in API group "argoproj.io" in '
    'the namespace "phase2"'
)
QUOTA_FULL = (
    'jobs.batch "phase2-a" is forbidden: exceeded quota: phase2, requested: count/jobs.batch=1, used: '
    "count/jobs.batch=5, limited: count/jobs.batch=5"
)
QUOTA_TOO_SMALL = (
    'pods "phase2-a-x" is forbidden: exceeded quota: phase2, requested: limits.memory=64Gi,requests.cpu=1, used: '
    "limits.memory=0,requests.cpu=0, limited: limits.memory=32Gi,requests.cpu=8"
)
WEBHOOK = 'admission webhook "check.example.org" denied the request: images come from ghcr.io alone'
POLICY = (
    "jobs.batch \"phase2-a\" is forbidden: ValidatingAdmissionPolicy 'phase2-levels' with binding 'phase2-levels' "
    "denied request: level 'huge' is none"
)
POD_SECURITY = (
    'pods "a" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true (pod or container "train" '
    "must set securityContext.runAsNonRoot=true)"
)
INVALID = 'Job.batch "a" is invalid: spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0'

ANSWERS = [
    (401, "Unauthorized", RequestError, "does not accept your credentials"),
    (403, FORBIDDEN, ForbiddenError, "knows you as 'system:serviceaccount:phase2:nobody', who may not create jobs"),
    (403, FORBIDDEN, ForbiddenError, "Ask for the Role phase2-submitter of k8s/base"),
    (403, NO_WORKFLOWS, ForbiddenError, "Ask for the Role phase2-workflow-submitter of argo/cluster"),
    (403, QUOTA_FULL, TransientError, "count/jobs.batch (1 asked, 5 of 5 in use)"),
    (403, QUOTA_TOO_SMALL, RequestError, "limits.memory (64Gi asked, 0 of 32Gi in use)"),
    (403, WEBHOOK, RequestError, "'check.example.org' of the cluster denies it. images come from ghcr.io alone."),
    (422, POLICY, RequestError, "the admission policy 'phase2-levels' of the cluster denies it. level 'huge' is none."),
    (403, POD_SECURITY, RequestError, 'It violates PodSecurity "restricted:latest": runAsNonRoot != true'),
    (404, 'namespaces "nowhere" not found', RequestError, "no namespace 'nowhere'"),
    (404, 'jobs.batch "a" not found', ObjectGoneError, 'jobs.batch "a" not found.'),
    (409, 'jobs.batch "a" already exists', ObjectConflictError, "already exists."),
    (410, "too old resource version: 1 (2)", WatchExpiredError, "too old"),
    (422, INVALID, RequestError, "must be greater than or equal to 0."),
    (429, "Too many requests, please try again later.", TransientError, "is temporarily unavailable"),
    (500, 'failed calling webhook "x": connection refused', TransientError, "connection refused"),
    (503, "apiserver not ready", TransientError, "apiserver not ready"),
]


def status(code: int, message: str) -> bytes:
    return json.dumps({"kind": "Status", "status": "Failure", "message": message, "code": code}).encode()


@pytest.mark.parametrize(("code", "message", "kind", "expected"), ANSWERS, ids=lambda value: str(value)[:30])
def test_a_response_becomes_an_error(code, message, kind, expected):
    error = response_error(code, status(code, message), action="create the Job a", server="https://cluster:6443")
    assert type(error) is kind
    assert expected in str(error)
    assert error.fix


def test_the_causes_of_an_invalid_object_are_named_by_field():
    causes = [{"field": "spec.template.spec.priorityClassName", "message": "Not found"}]
    body = json.dumps({"message": "long", "code": 422, "details": {"causes": causes}}).encode()
    error = response_error(422, body, action="create the Job a", server="s")
    assert "spec.template.spec.priorityClassName: Not found." in str(error)


@pytest.mark.parametrize("body", [b"", b"<html>Bad Gateway</html>", b"[1]", b"\xff\xfe"])
def test_a_response_that_is_no_status_object_is_an_error_too(body):
    assert response_error(502, body, action="list jobs", server="s").exit_code == 75
    assert response_error(400, body, action="list jobs", server="s").exit_code == 2


def test_a_quota_message_names_only_what_is_exceeded():
    assert quota_message(QUOTA_TOO_SMALL) == (
        "the quota 'phase2' of the namespace is exceeded: limits.memory (64Gi asked, 0 of 32Gi in use)"
    )
    assert quota_message("pods is forbidden") is None
