"""What the chart itself starts: the nightly run, the clean-up and the test, as pods of ``phase2 submit``."""

from typing import Any

from phase2.cluster.labels import COMPONENT_LABEL, PLAN_ANNOTATION, REQUEST_ANNOTATION, RUN_LABEL
from phase2.cluster.manifests.job import build_job
from phase2.cluster.plan import CACHE_CLAIM, make_plan
from phase2.cluster.request.image import Image
from phase2.cluster.request.resources import ClusterRequest
from phase2.config.request import RunRequest
from phase2.config.resolve import resolve
from tools.manifests.argo.serialization import to_manifest
from tools.manifests.argo.submissions import cron_workflow

Object = dict[str, Any]

_RETRIES, _DEADLINE_SECONDS = 2, 6 * 3600
_JOB_NAME = "metadata.labels['batch.kubernetes.io/job-name']"
_HOOK = {"helm.sh/hook": "test", "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded"}


def pods() -> dict[str, Object]:
    """Every object, by the name of its file below ``files``."""
    return {"pods/nightly.yaml": _nightly(), "pods/retention.yaml": _retention(), "pods/test.yaml": _test()}


def _nightly() -> Object:
    """A smoke training by the clock: all attempts of one night are one run, which has the name of its Job."""
    return _cron("phase2-nightly", _job(run_id=_JOB_NAME))


def _retention() -> Object:
    """The clean-up by the clock. Its Job is no run; its pod is labelled as that of one, for these reach the store."""
    job = _job(run_id=_JOB_NAME)
    labels = _plain(job["metadata"]["labels"])
    job["metadata"] = {"labels": labels | {COMPONENT_LABEL: "maintenance"}}
    job["spec"]["template"]["metadata"] = {"labels": labels}
    (container,) = job["spec"]["template"]["spec"]["containers"]
    container["args"] = ["runs", "prune", "--yes"]
    container["env"] = [one for one in container["env"] if one["name"] != "PHASE2_RUN_ID"]
    return _cron("phase2-clean", job)


def _test() -> Object:
    """A smoke training, every file of it hashed again in the store, and its removal: one pod, three steps."""
    template = _job(run_id="metadata.uid")["spec"]["template"]
    spec = template["spec"]
    (train,) = spec["containers"]
    verify = train | {"name": "verify", "args": ["runs", "verify", "$(PHASE2_RUN_ID)"]}
    remove = train | {"name": "remove", "args": ["runs", "delete", "$(PHASE2_RUN_ID)", "--yes"]}
    spec["initContainers"], spec["containers"] = [train, verify], [remove]
    metadata = {"name": "phase2-test", "labels": _plain(template["metadata"]["labels"]), "annotations": _HOOK}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _job(run_id: str) -> Object:
    """The Job of a smoke training, whose run id is a field of its pod."""
    cluster = ClusterRequest(
        image=Image.parse("phase2:latest"), cache=CACHE_CLAIM, retries=_RETRIES, deadline_seconds=_DEADLINE_SECONDS
    )
    job = build_job(make_plan("chart", resolve(RunRequest(algorithm="cgcnn", level="smoke")), cluster))
    del job["metadata"]["annotations"][PLAN_ANNOTATION]
    for place in (job, job["spec"]["template"]):
        # A request that values may change has no digest that could be written down here.
        del place["metadata"]["labels"][RUN_LABEL], place["metadata"]["annotations"][REQUEST_ANNOTATION]
    sources = {
        "PHASE2_RUN_ID": {"fieldRef": {"fieldPath": run_id}},
        "OMP_NUM_THREADS": {"resourceFieldRef": {"resource": "requests.cpu"}},  # as many as cores were asked for
    }
    (container,) = job["spec"]["template"]["spec"]["containers"]
    for variable in container["env"]:
        if source := sources.get(variable["name"]):
            del variable["value"]
            variable["valueFrom"] = source
    return job


def _cron(name: str, job: Object) -> Object:
    """A Job by the clock, in the way of Argo's CronWorkflows."""
    of_argo = to_manifest(cron_workflow(name, "", "", {}))["spec"]
    timing = {key: of_argo[key] for key in of_argo if key not in ("schedules", "timezone", "workflowSpec")}
    metadata = {key: job["metadata"][key] for key in ("labels", "annotations") if key in job["metadata"]}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name, "labels": _plain(job["metadata"]["labels"])},
        "spec": {
            "schedule": "",
            "timeZone": of_argo["timezone"],
            **timing,
            "jobTemplate": {"metadata": metadata, "spec": job["spec"]},
        },
    }


def _plain(labels: dict[str, str]) -> dict[str, str]:
    """The labels that say nothing of one run."""
    return {name: word for name, word in labels.items() if name.startswith("app.kubernetes.io/")}
