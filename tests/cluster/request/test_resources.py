"""Validation of cluster requests."""

import pytest
from tests.cluster.support.image_names import BY_DIGEST

from phase2.cluster.request.image import Image
from phase2.cluster.request.quantities import parse_cpu
from phase2.cluster.request.resources import ClusterRequest, format_duration, parse_duration
from phase2.errors import RequestError

IMAGE = Image.parse(BY_DIGEST)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"gpus": -1}, "--gpus -1 is out of range"),
        ({"gpus": 17}, "--gpus 17 is out of range.*from 0 to 16"),
        ({"gpus": 2, "gpu_resource": "nvidia.com/mig-1g.10gb"}, "cannot train one run.*Give --gpus 1"),
        ({"gpus": 2, "gpu_resource": "nvidia.com/gpu.shared"}, "cannot train one run"),
        ({"retries": -1}, "--retries -1"),
        ({"cpu": parse_cpu("4"), "cpu_limit": parse_cpu("2")}, "--cpu-limit 2 is less than --cpu 4"),
        ({"priority": "High!"}, "--priority 'High!'"),
        ({"queue": "a.b/c"}, "--queue"),
        ({"cache": "My_Claim"}, "--cache 'My_Claim'"),
        ({"namespace": "a.b"}, "--namespace"),
        ({"node_selector": (("gpu", "a"), ("gpu", "b"))}, "names a key twice"),
        ({"store": "models"}, "cannot be reached from a pod"),
        ({"store": "file:///models"}, "cannot be reached from a pod"),
        ({"store": "s3://key:secret@bucket"}, "contains access keys"),
    ],
)
def test_an_invalid_request_is_refused(values, expected):
    with pytest.raises(RequestError, match=expected) as refused:
        ClusterRequest(image=IMAGE, **values)
    assert "secret" not in str(refused.value).lower().replace("from the secret phase2-s3", "")


@pytest.mark.parametrize(("nodes", "gpus", "processes"), [(1, 0, 1), (3, 0, 3), (1, 4, 4), (2, 8, 16)])
def test_a_run_has_a_process_for_each_gpu_or_each_pod_without(nodes, gpus, processes):
    assert ClusterRequest(image=IMAGE, nodes=nodes, gpus=gpus).processes == processes


def test_the_threads_of_an_attempt_do_not_depend_on_its_node():
    assert ClusterRequest(image=IMAGE, cpu=parse_cpu("500m")).threads == 1
    assert ClusterRequest(image=IMAGE, cpu=parse_cpu("2.5")).threads == 2
    assert ClusterRequest(image=IMAGE, cpu=parse_cpu("2"), cpu_limit=parse_cpu("8")).threads == 8


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("45m", 2700), ("12h", 43200), ("3d", 259200), ("2w", 1209600)]
)
def test_a_duration_is_parsed(text, seconds):
    assert parse_duration(text, option="--deadline") == seconds


@pytest.mark.parametrize("text", ["", "12", "h", "-1h", "0h", "1.5h", "1 h", "12 hours", "999999w"])
def test_an_invalid_duration_is_refused(text):
    with pytest.raises(RequestError, match="--deadline"):
        parse_duration(text, option="--deadline")


def test_a_duration_is_formatted_with_a_unit():
    spans = (5, 90, 600, 5400, 86400, 250000)
    assert [format_duration(span) for span in spans] == ["5 s", "90 s", "10 min", "90 min", "24 h", "2.89 days"]
