"""The dashboard of Grafana, built of few panels that say what a person asks: is it running, learning, fast, safe?"""

import json
from typing import Any

Panel = dict[str, Any]

_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_RUN = '{namespace=~"$namespace", run=~"$run"}'
_WIDTH, _HEIGHT, _COLUMNS = 8, 8, 3


def dashboard() -> str:
    """Return the dashboard as Grafana imports it, JSON."""
    made = [panel | {"id": number, "gridPos": _place(number - 1)} for number, panel in enumerate(_panels(), start=1)]
    return json.dumps(
        {
            "uid": "phase2-runs",
            "title": "phase2 runs",
            "tags": ["phase2"],
            "schemaVersion": 39,
            "editable": True,
            "refresh": "30s",
            "time": {"from": "now-6h", "to": "now"},
            "templating": {"list": _variables()},
            "panels": made,
        },
        indent=2,
    )


def _panels() -> list[Panel]:
    each = "{{run}}"
    mae = f"phase2_training_val_mae{_RUN}"
    return [
        _table("Runs by state", 'sum by (run, algorithm, mode, state) (phase2_run_state{namespace=~"$namespace"} > 0)'),
        _graph("Progress", f"phase2_training_step{_RUN} / phase2_training_steps{_RUN}", each, "percentunit"),
        _graph("Time left", f"phase2_training_eta_seconds{_RUN} and phase2_training_active{_RUN} == 1", each, "s"),
        _graph("Training loss", f'phase2_training_loss{{part="train", {_RUN[1:]}', each),
        _graph("Validation loss", f'phase2_training_loss{{part="val", {_RUN[1:]}', each),
        _graph("Validation score (1 is the median)", f"phase2_training_val_score{_RUN}", each),
        _graph("Validation MAE, in the unit of each property", mae, "{{run}} {{property}} [{{unit}}]"),
        _graph("Learning rate", f"phase2_training_learning_rate{_RUN}", each),
        _graph("Crystals per second", f"sum by (run) (rate(phase2_training_crystals_total{_RUN}[5m]))", each),
        _graph("Waiting for batches", f"phase2_training_data_wait_ratio{_RUN}", each, "percentunit"),
        _graph("GPU in use", f"phase2_training_gpu_utilization_ratio{_RUN}", each, "percentunit"),
        _graph("GPU memory in use", f"phase2_training_gpu_memory_used_bytes{_RUN}", each, "bytes"),
        _graph("Time since the last step", f"time() - phase2_training_last_step_timestamp_seconds{_RUN}", each, "s"),
        _graph("Age of the checkpoint", f"time() - phase2_training_checkpoint_timestamp_seconds{_RUN}", each, "s"),
        _graph("Checkpoint that waits for its upload", f"phase2_training_unsent_bytes{_RUN}", each, "bytes"),
        _graph("Attempt", f"phase2_training_attempt{_RUN}", each),
        _graph(
            "Memory of the training processes",
            'process_resident_memory_bytes{namespace=~"$namespace"}'
            ' and on (namespace, pod) phase2_training_active{namespace=~"$namespace"}',
            "{{pod}}",
            "bytes",
        ),
        _graph(
            "Ended workflows of the last day",
            'sum by (status) (increase(argo_workflows_phase2_runs{run_namespace=~"$namespace"}[1d]))',
            "{{status}}",
        ),
        _graph(
            "Quota in use",
            'kube_resourcequota{namespace=~"$namespace", type="used"}'
            ' / ignoring (type) (kube_resourcequota{namespace=~"$namespace", type="hard"} > 0)',
            "{{resource}}",
            "percentunit",
        ),
    ]


def _graph(title: str, expression: str, legend: str, unit: str = "short") -> Panel:
    """Return a panel of lines over time."""
    return {
        "type": "timeseries",
        "title": title,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "targets": [{"refId": "A", "datasource": _SOURCE, "expr": expression, "legendFormat": legend}],
    }


def _table(title: str, expression: str) -> Panel:
    """Return a panel of the newest values, one row each."""
    target = {"refId": "A", "datasource": _SOURCE, "expr": expression, "instant": True, "format": "table"}
    hidden = {"id": "organize", "options": {"excludeByName": {"Time": True, "Value": True}}}
    return {
        "type": "table",
        "title": title,
        "datasource": _SOURCE,
        "targets": [target],
        "transformations": [hidden],
    }


def _variables() -> list[dict[str, Any]]:
    return [
        {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
        _choice("namespace", "label_values(phase2_training_active, namespace)"),
        _choice("run", 'label_values(phase2_training_active{namespace=~"$namespace"}, run)'),
    ]


def _choice(name: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "includeAll": True,
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }


def _place(index: int) -> dict[str, int]:
    row, column = divmod(index, _COLUMNS)
    return {"x": column * _WIDTH, "y": row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT}
