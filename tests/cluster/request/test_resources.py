"""What is asked of the cluster, and refused."""

import pytest
from tests.cluster.support.image_names import BY_DIGEST

from phase2.cluster.request.image import Image
from phase2.cluster.request.quantities import parse_cpu
from phase2.cluster.request.resources import ClusterRequest, human_duration, parse_duration
from phase2.errors import RequestError

IMAGE = Image.parse(BY_DIGEST)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"gpus": -1}, "--gpus -1 is out of range"),
        ({"gpus": 65}, "--gpus 65"),
        ({"retries": -1}, "--retries -1"),
        ({"cpu": parse_cpu("4"), "cpu_limit": parse_cpu("2")}, "--cpu-limit 2 is less than --cpu 4"),
        ({"priority": "High!"}, "--priority 'High!'"),
        ({"queue": "a.b/c"}, "--queue"),
        ({"cache": "My_Claim"}, "--cache 'My_Claim'"),
        ({"namespace": "a.b"}, "--namespace"),
        ({"node_selector": (("gpu", "a"), ("gpu", "b"))}, "names a key twice"),
        ({"store": "models"}, "is not reached from a pod"),
        ({"store": "file:///models"}, "is not reached from a pod"),
        ({"store": "s3://key:secret@bucket"}, "carries access keys"),
    ],
)
def test_what_makes_no_sense_is_refused(asked, says):
    with pytest.raises(RequestError, match=says) as refused:
        ClusterRequest(image=IMAGE, **asked)
    assert "secret" not in str(refused.value).lower().replace("from the secret phase2-s3", "")


def test_the_threads_of_an_attempt_do_not_depend_on_its_node():
    assert ClusterRequest(image=IMAGE, cpu=parse_cpu("500m")).threads == 1
    assert ClusterRequest(image=IMAGE, cpu=parse_cpu("2.5")).threads == 2
    assert ClusterRequest(image=IMAGE, cpu=parse_cpu("2"), cpu_limit=parse_cpu("8")).threads == 8


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("45m", 2700), ("12h", 43200), ("3d", 259200), ("2w", 1209600)]
)
def test_a_time_span(text, seconds):
    assert parse_duration(text, option="--deadline") == seconds


@pytest.mark.parametrize("text", ["", "12", "h", "-1h", "0h", "1.5h", "1 h", "12 hours", "999999w"])
def test_no_time_span(text):
    with pytest.raises(RequestError, match="--deadline"):
        parse_duration(text, option="--deadline")


def test_time_is_told_in_units_of_people():
    spans = (5, 90, 600, 5400, 86400, 250000)
    assert [human_duration(span) for span in spans] == ["5 s", "90 s", "10 min", "90 min", "24 h", "2.89 days"]
