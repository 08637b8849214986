"""The steps that several workflows have."""

from phase2.cluster.plan import WORK

from . import parameters as p
from .parameters import Manifest, Parameter
from .pods import PREDICT_PATCH, artifact, call, filled, output, result, retry, step, training, value, variable

_ITEM = ("run-id", *(one.name for one in p.VARIED))


def prepare() -> Manifest:
    """The graph store of the data, in the cache that all runs share."""
    patch = PREDICT_PATCH
    return step("prepare", "data", "prepare", retryStrategy=retry("3"), podSpecPatch=patch)


def expand(varied: tuple[Parameter, ...]) -> Manifest:
    """The runs of the listed values, each a valid request."""
    return step(
        "expand", "workflow", "expand", "--to", WORK,
        env=filled(varied),
        retryStrategy=retry("3"),
        outputs={"parameters": [output("runs", "runs.json")]},
    )  # fmt: skip


def fan_out() -> list[Manifest]:
    """Every run of :func:`expand`, trained."""
    # A run that fails is missing from the rows; the others stay.
    return call(
        "train", "train", {name: f"{{{{item.{name}}}}}" for name in _ITEM},
        withParam=result("expand", "runs"),
        continueOn={"failed": True, "error": True},
    )  # fmt: skip


def train_item() -> Manifest:
    """The training of one of them."""
    env = [*filled(p.VARIED, "inputs"), variable("PHASE2_RUN_ID", value("run-id", "inputs"))]
    return training("train", env, inputs={"parameters": [{"name": name} for name in _ITEM]})


def compare() -> Manifest:
    """The ranking of the runs that finished."""
    table = "comparison.md"
    return step(
        "compare", "workflow", "compare", "--to", WORK,
        inputs={"parameters": [{"name": "rows"}]},
        env=[variable("PHASE2_ROWS", value("rows", "inputs"))],
        retryStrategy=retry("3"),
        outputs={
            "parameters": [output("best-run", "best-run"), output("runs", "runs"), output("comparison", table)],
            "artifacts": [artifact("comparison", table, f"workflows/{{{{workflow.name}}}}/{table}")],
        },
    )  # fmt: skip


def split() -> Manifest:
    """The parts of the structures."""
    return step(
        "split", "workflow", "split", "--dir", value("structures"), "--parts", value("parts"), "--to", WORK,
        retryStrategy=retry("3"),
        outputs={"parameters": [output("parts", "parts.json")]},
    )  # fmt: skip


def fan_out_parts(parameters: Manifest) -> list[Manifest]:
    """Every part of :func:`split`, predicted."""
    item = {name: f"{{{{item.{name}}}}}" for name in ("part", "parts")}
    return call("predict", "predict", item | parameters, withParam=result("split", "parts"))


def predict(env: list[Manifest], *inputs: str) -> Manifest:
    """The predictions of one part."""
    part, parts = value("part", "inputs"), value("parts", "inputs")
    key = f"predictions/{{{{workflow.name}}}}/part-{part}-of-{parts}.csv"
    return step(
        "predict", "predict", "--dir", value("structures"), "--part", f"{part}/{parts}", "--store", value("store"),
        "--output", f"{WORK}/predictions.csv",
        inputs={"parameters": [{"name": name} for name in ("part", "parts", *inputs)]},
        env=env,
        retryStrategy=retry("3"),
        podSpecPatch=PREDICT_PATCH,
        outputs={"artifacts": [artifact("predictions", "predictions.csv", key)]},
    )  # fmt: skip
