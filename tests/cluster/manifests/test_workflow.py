"""The Workflow of a run on several nodes; the pods that Argo makes of it are in ``tests/argo/golden``."""

import os

from tests.cluster.manifests.test_job import GOLDEN
from tests.cluster.support.image_names import BY_DIGEST

from phase2.cluster.manifests.job import to_yaml
from phase2.cluster.manifests.workflow import build_workflow
from phase2.cluster.plan import make_plan
from phase2.cluster.request.options import ClusterOptions
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve


def test_the_workflow_equals_its_golden_file():
    file, options = GOLDEN / "workflow" / "group.yaml", ClusterOptions(image=BY_DIGEST, nodes=2, gpus=4)
    request = resolve(RunRequest(algorithm="cgcnn", level="smoke"))
    plan = make_plan("together", request, options.request("phase2"), options=options, given=options)
    made = to_yaml(build_workflow(plan))
    if os.environ.get("RENEW_GOLDEN"):
        file.write_text(made, encoding="utf-8")
    assert made == file.read_text(encoding="utf-8")
