"""Labels and annotations of an organisation are added to objects and pods, and change nothing else."""

import copy

from hypothesis import given
from hypothesis import strategies as st
from tests.cluster.conftest import cluster_requests, fitting, run_ids

from phase2.cluster.labels import RUN_LABEL
from phase2.cluster.manifests.job import build_job
from phase2.cluster.manifests.jobset import build_jobset
from phase2.cluster.manifests.trainjob import build_trainjob
from phase2.cluster.plan import make_plan
from phase2.cluster.request.common_metadata import CommonMetadata
from phase2.cluster.request.image import Image
from phase2.cluster.request.resources import ClusterRequest
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve

TEAM = CommonMetadata({"example.com/team": "crystals"}, {"example.com/contact": "ada"})
RUN = resolve(RunRequest(level="lite"))
texts = st.dictionaries(st.text(min_size=1), st.text(), max_size=3)


@given(run_ids, cluster_requests, st.builds(CommonMetadata, texts, texts))
def test_an_object_keeps_all_that_it_has(run_id, cluster, common):
    job = build_job(make_plan(run_id, RUN, fitting(cluster, run_id)))
    before = copy.deepcopy(job)
    made = common.added_to(job)
    assert job == before
    for found, own in ((made, job), (made["spec"]["template"], job["spec"]["template"])):
        assert found["metadata"]["labels"] == {**common.labels, **own["metadata"]["labels"]}
        assert found["metadata"]["annotations"] == {**common.annotations, **own["metadata"]["annotations"]}
        found["metadata"] = own["metadata"]
    assert made == job


def test_none_of_a_run_s_own_is_replaced():
    job = build_job(make_plan("mine", RUN, ClusterRequest(image=Image.parse("phase2:1"))))
    made = CommonMetadata({RUN_LABEL: "other"}).added_to(job)
    assert made == job


def test_pods_of_a_jobset_and_of_a_trainjob_have_them():
    plan = make_plan("mine", RUN, ClusterRequest(image=Image.parse("phase2:1"), nodes=2))
    (replicated,) = TEAM.added_to(build_jobset(plan))["spec"]["replicatedJobs"]
    (patch,) = TEAM.added_to(build_trainjob(plan))["spec"]["runtimePatches"]
    (patched,) = patch["trainingRuntimeSpec"]["template"]["spec"]["replicatedJobs"]
    for job in (replicated["template"], patched["template"]):
        for metadata in (job["metadata"], job["spec"]["template"]["metadata"]):
            assert metadata["labels"]["example.com/team"] == "crystals"
        assert job["spec"]["template"]["metadata"]["annotations"]["example.com/contact"] == "ada"
