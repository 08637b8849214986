"""Jobs that phase2 makes, from which the policy of Jobs takes what does not depend on a request."""

from phase2.cluster.manifests.job import build_job
from phase2.cluster.plan import CACHE_CLAIM, make_plan
from phase2.cluster.request.image import Image
from phase2.cluster.request.resources import STORE_SECRET, ClusterRequest
from phase2.cluster.transfer.job import transfer_job
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from tools.manifests.yaml_text import Manifest

_IMAGE = "phase2@sha256:" + "0" * 64


def training() -> Manifest:
    """Return the Job of a training with everything that a pod may have, one of several among it."""
    cluster = ClusterRequest(
        image=Image.parse(_IMAGE),
        nodes=2,
        gpus=1,
        cache=CACHE_CLAIM,
        store="s3://phase2/runs",
        protect_hours=1,
        queue="phase2",
    )
    return build_job(make_plan("sample", resolve(RunRequest()), cluster))


def transfer() -> Manifest:
    """Return the Job of ``phase2 pull --through-cluster``."""
    return transfer_job("phase2-pull-0", ["offer", "run"], namespace="phase2", image=_IMAGE, secret=STORE_SECRET)


def pod_of(job: Manifest) -> Manifest:
    """Return the specification of a Job's pods."""
    spec: Manifest = job["spec"]["template"]["spec"]
    return spec


def container_of(job: Manifest) -> Manifest:
    """Return the only container of a Job's pods."""
    (container,) = pod_of(job)["containers"]
    found: Manifest = container
    return found
