"""What Prometheus and Grafana get: off by default, valid for the operator, and of metrics that somebody exports."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import promql_parser
import pytest
import yaml
from prometheus_client import ProcessCollector

from phase2.cluster.manifests.installed import METRICS_PORT, installed_variables, metrics_port
from tools.manifests.argo.metrics import DURATION, ENDED
from tools.reference.metrics import observer_metrics, training_metrics

from .rendering import PROFILES, PROJECT, named, pod_specs

SCHEMAS = Path(__file__).with_name("schemas")
RULE_TESTS = Path(__file__).with_name("rules_test.yaml")
GUIDE = PROJECT / "docs" / "how-to" / "monitoring.md"
PARTS = ("enabled", "podMonitor.create", "rules.create", "dashboard.create")
ALL = ("--set", ",".join(f"monitoring.{part}=true" for part in PARTS))

OTHERS = {
    "argo_workflows_cronworkflows_triggered_total",  # of Argo itself: its docs/metrics.md
    "kube_cronjob_status_last_successful_time",  # of kube-state-metrics
    "kube_resourcequota",
}


@pytest.fixture(scope="module")
def monitored(helm):
    return helm.objects("default", *ALL)


@pytest.fixture(scope="module")
def rules(monitored):
    groups = named(monitored, "PrometheusRule")["spec"]["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.fixture(scope="module")
def board(monitored):
    (text,) = named(monitored, "ConfigMap", "phase2-dashboard")["data"].values()
    return json.loads(text)


def strict(schema):
    """A schema that refuses fields it does not name, as the API server does when it is asked to be strict.

    Without patterns, which are of Go's dialect.
    """
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(value) for key, value in schema.items() if key != "pattern"}
    return made | {"additionalProperties": False} if "properties" in schema and "type" in schema else made


@pytest.mark.parametrize(("kind", "file"), [("PodMonitor", "podmonitors"), ("PrometheusRule", "prometheusrules")])
def test_the_operator_knows_every_field(monitored, kind, file):
    schema = strict(json.loads((SCHEMAS / f"{file}.json").read_text()))
    schema["properties"]["metadata"] = {"type": "object"}
    one = named(monitored, kind)
    jsonschema.validate(one, schema)
    one["spec"]["misspelt"] = True
    with pytest.raises(jsonschema.ValidationError, match="misspelt"):
        jsonschema.validate(one, schema)
    del one["spec"]["misspelt"]


@pytest.mark.parametrize("profile", PROFILES)
def test_nothing_of_it_is_there_by_default(helm, profile):
    things = helm.objects(profile)
    assert not [one for one in things if one["apiVersion"].startswith("monitoring.coreos.com/")]
    assert not {"phase2-dashboard", "phase2-metrics"} & {one["metadata"]["name"] for one in things}


@pytest.mark.parametrize(
    ("part", "kinds"),
    [
        ("enabled", {("NetworkPolicy", "phase2-metrics")}),
        ("podMonitor.create", {("PodMonitor", "phase2-training")}),
        ("rules.create", {("PrometheusRule", "phase2")}),
        ("dashboard.create", {("ConfigMap", "phase2-dashboard")}),
    ],
)
def test_each_part_is_switched_on_by_itself(helm, part, kinds):
    served = ("--set", "monitoring.enabled=true") if part == "podMonitor.create" else ()  # it scrapes what is served
    before, after = (
        {(one["kind"], one["metadata"]["name"]) for one in helm.objects("default", *served, *words)}
        for words in ((), ("--set", f"monitoring.{part}=true"))
    )
    assert after - before == kinds


def test_pods_that_train_serve_metrics_where_they_are_to(helm):
    runs = named(helm.objects("default", "--set", "monitoring.enabled=true"), "ConfigMap", "phase2-runs")["data"]
    assert runs["metrics-port"] == str(METRICS_PORT)
    assert "metrics-port" not in named(helm.objects("default"), "ConfigMap", "phase2-runs")["data"]
    things = helm.objects(
        "no-argo", "--set", "monitoring.enabled=true,monitoring.stallMinutes=7.5,retention.enabled=true"
    )
    assert named(things, "ConfigMap", "phase2-runs")["data"]["stall-minutes"] == "7.5"
    pods = pod_specs(things)
    (trains,) = pods["CronJob/phase2-nightly"]["containers"]
    assert trains["ports"] == [metrics_port()]
    assert [one for one in trains["env"] if "configMapKeyRef" in one.get("valueFrom", {})] == installed_variables()
    policy = named(things, "NetworkPolicy", "phase2-metrics")["spec"]
    assert policy["ingress"][0]["ports"] == [{"protocol": "TCP", "port": METRICS_PORT}]


def test_prometheus_alone_reaches_the_port_of_the_metrics(helm):
    words = (
        "--set",
        "monitoring.enabled=true,monitoring.namespace=watch",
        "--set-json",
        'monitoring.podLabels={"a":"b"}',
    )
    policy = named(helm.objects("default", *words), "NetworkPolicy", "phase2-metrics")["spec"]
    (rule,) = policy["ingress"]
    (source,) = rule["from"]
    assert source["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "watch"}
    assert source["podSelector"]["matchLabels"]["a"] == "b"
    assert policy["policyTypes"] == ["Ingress"]


def ran(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_itself_takes_the_rules(monitored, promtool, tmp_path):
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump(named(monitored, "PrometheusRule")["spec"]))
    ran(promtool, "check", "rules", "--lint=all", "--lint-fatal", file)


def test_alerts_fire_when_they_should_and_not_before(monitored, rules, promtool, tmp_path):
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(named(monitored, "PrometheusRule")["spec"]))
    cases = yaml.safe_load(RULE_TESTS.read_text())
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(cases | {"rule_files": ["rules.yaml"]}))
    ran(promtool, "test", "rules", tmp_path / "test.yaml")
    tried = {each["alertname"] for case in cases["tests"] for each in case["alert_rule_test"] if each.get("exp_alerts")}
    assert tried == {rule["alert"] for rule in rules if "alert" in rule}


def test_every_alert_says_what_it_means_and_what_to_do(rules):
    headings = re.findall(r"^### (\w+)$", GUIDE.read_text(), re.MULTILINE)
    alerts = {rule["alert"]: rule for rule in rules if "alert" in rule}
    assert list(alerts) == headings
    for name, alert in alerts.items():
        assert alert["labels"]["severity"] in ("info", "warning", "critical")
        assert alert["annotations"].keys() == {"summary", "description", "runbook"}
        assert alert["annotations"]["runbook"] == f"docs/how-to/monitoring.md#{name.lower()}"


def selectors(node):
    """Names of the metrics that an expression reads."""
    if isinstance(node, promql_parser.VectorSelector):
        return {node.name}
    parts = [getattr(node, part, None) for part in ("expr", "lhs", "rhs", "vector_selector", "param")]
    parts += getattr(node, "args", None) or []
    return {name for part in parts if part is not None for name in selectors(part)}


def test_the_names_of_an_expression_are_found_wherever_they_are():
    parsed = promql_parser.parse("sum by (x) (rate(a[5m])) / on (y) max_over_time((b + 1)[5m:1m]) unless (c or -d)")
    assert selectors(parsed) == {"a", "b", "c", "d"}


@dataclass
class Uploads:
    unsent_bytes: int = 0
    is_failing: bool = False


@pytest.fixture(scope="module")
def exported():
    """Names of all that a training on a GPU exports."""
    families = [*training_metrics(), *ProcessCollector(registry=None).collect()]
    return {sample.name for family in families for sample in family.samples}


def test_rules_and_dashboard_read_metrics_that_somebody_exports(rules, board, exported):
    recorded = {rule["record"] for rule in rules if "record" in rule}
    known = exported | recorded | OTHERS | argo_metrics() | observer_names()
    panels = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    for expression in [rule["expr"] for rule in rules] + panels:
        names = selectors(promql_parser.parse(expression.replace("$namespace", "a").replace("$run", "b")))
        assert names, expression
        assert names <= known, f"nobody exports {names - known}"
    queries = [variable["query"]["query"] for variable in board["templating"]["list"] if variable["type"] == "query"]
    assert {query.partition("(")[2].partition("{")[0].partition(",")[0] for query in queries} <= known


def test_the_guide_lists_what_a_training_exports(exported):
    """In full, or by another ending: ``phase2_training_step``, ``_steps``."""
    listed = set()
    for cell in re.findall(r"^\| (`phase2_.*?) \| ", GUIDE.read_text(), re.MULTILINE):
        first, *others = re.findall(r"`(\w+)", cell)
        stems = [first[:end] for end in range(len(first)) if first[end] == "_"]
        listed |= {first} | {stem + other for other in others for stem in stems}
    assert {name for name in exported if name.startswith("phase2_")} <= listed


def argo_metrics():
    return {f"argo_workflows_{name}" for name in (ENDED, DURATION)}


def observer_names():
    return {family.name for family in observer_metrics()}


def test_the_reference_lists_every_metric(exported):
    page = (PROJECT / "docs" / "reference" / "metrics.md").read_text()
    listed = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    counters = {f"{family.name}_total" for family in observer_metrics() if family.type == "counter"}
    gauges = {family.name for family in observer_metrics() if family.type != "counter"}
    own = {name for name in exported if name.startswith("phase2_")}
    assert listed == own | counters | gauges | argo_metrics()


def test_panels_lie_beside_and_below_each_other(board):
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
    assert len(set(places)) == len(places)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in board["panels"])
    assert len({panel["id"] for panel in board["panels"]}) == len(places)
