"""Requests and settings of all kinds, for property-based tests."""

from typing import Any, get_args

from hypothesis import strategies as st

from phase2.config.assignments import settings_of
from phase2.config.combine import combine
from phase2.config.foundation_models import FOUNDATION_MODELS
from phase2.config.levels import ALGORITHMS, LEVELS, PRESETS
from phase2.config.request.options import BALANCES, FREEZES, PRECISIONS
from phase2.properties import KEYS, Density

COUNTS = st.integers(1, 10**6)
WIDTHS = st.integers(1, 8192)
DEPTHS = st.integers(1, 64)
SHARES = st.floats(1e-3, 1e3)
SPLITS = st.sampled_from(
    ["random", "stratified", "composition", "chemsys+spacegroup", "prototype", "element:Li", "file:my split.json",
     "kfold:5/2", "kfold:10/10:composition", "matbench:fold_3"]
)  # fmt: skip
PROPERTIES = st.lists(st.sampled_from(KEYS), min_size=1, unique=True)
SOURCES = st.sampled_from(["sample", "jarvis-dft3d", "my data/crystals #1.json", "größe: [x].json", "null", "12"])
SEEDS = st.integers(0, 2**32 - 1)

SETTINGS: dict[str, st.SearchStrategy[object]] = {
    "seed": SEEDS,
    "properties": PROPERTIES,
    "data.source": SOURCES,
    "data.max_samples": st.none() | COUNTS,
    "data.split_seed": SEEDS,
    "data.fractions": st.lists(SHARES, min_size=3, max_size=3),
    "data.group_by": st.sampled_from(["none", "composition"]),
    "data.split": SPLITS,
    "data.drop_twins": st.booleans(),
    "data.per_volume": st.lists(st.sampled_from(get_args(Density)), unique=True),
    "data.graph.cutoff": st.floats(0.1, 20) | st.integers(1, 20),
    "data.graph.neighbors": st.integers(1, 200),
    "data.limits.file_bytes": COUNTS,
    "data.limits.line_length": st.integers(80, 10**6),
    "data.limits.number_length": st.integers(16, 4_000),
    "data.limits.atoms": COUNTS,
    "data.limits.symmetry_operators": COUNTS,
    "data.limits.blocks": COUNTS,
    "data.limits.record_length": st.integers(100, 10**9),
    "data.limits.name_length": st.integers(16, 4_096),
    "data.limits.table_bytes": COUNTS,
    "data.limits.columns": st.integers(2, 10**4),
    "data.limits.records": COUNTS,
    "data.limits.unpacked_bytes": COUNTS,
    "data.limits.archive_members": COUNTS,
    "data.limits.seconds": st.floats(1, 86_400) | st.integers(1, 86_400),
    "data.limits.memory_bytes": st.integers(5 * 10**8, 10**12),
    "training.epochs": COUNTS,
    "training.batch_size": COUNTS,
    "training.lr": st.floats(1e-12, 1e3),
    "training.weight_decay": st.floats(0, 10) | st.just(0),
    "training.warmup": st.floats(0, 0.99),
    "training.clip_norm": st.floats(1e-6, 1e9),
    "training.ema_decay": st.floats(0, 0.9999),
    "training.loss": st.sampled_from(["huber", "l1"]),
    "training.label_exponent": st.none() | st.floats(0, 1),
    "training.optimizer": st.sampled_from(("adamw", "muon")),
    "training.balance": st.sampled_from(BALANCES),
    "training.precision": st.sampled_from(PRECISIONS),
    "training.patience": st.none() | st.just("none") | COUNTS,
    "training.padding_buckets": st.none() | st.integers(1, 64),
}
SOURCE: dict[str, st.SearchStrategy[object]] = {
    "fine_tuning.source": SOURCES,
    "fine_tuning.sha256": st.integers(0, 2**256 - 1).map("{:064x}".format),
}
FINE_TUNING: dict[str, st.SearchStrategy[object]] = {
    "fine_tuning.freeze": st.sampled_from(FREEZES),
    "fine_tuning.new_heads": st.booleans(),
    "fine_tuning.backbone_lr": st.floats(1e-6, 1),
    "fine_tuning.unfreeze_epoch": COUNTS,
}
FOUNDATION: dict[str, st.SearchStrategy[object]] = {
    "foundation.name": st.sampled_from(list(FOUNDATION_MODELS)),
    "foundation.use": st.sampled_from(["beside", "alone"]),
    "foundation.width": WIDTHS,
}
MODELS: dict[str, dict[str, st.SearchStrategy[object]]] = {
    "cgcnn": {
        "model.preset": st.sampled_from(PRESETS),
        "model.width": WIDTHS,
        "model.convolutions": DEPTHS,
        "model.gaussians": st.integers(2, 99),
        "model.trunk": WIDTHS,
    },
    "e3nn": {
        "model.size": st.sampled_from(PRESETS),
        "model.channels": st.lists(WIDTHS, min_size=1, max_size=5),
        "model.layers": DEPTHS,
        "model.radial_basis": st.integers(1, 1024),
        "model.radial_hidden": WIDTHS,
        "model.envelope": st.integers(2, 9),
        "model.trunk": WIDTHS,
        "model.second_order": st.integers(0, 512),
        "model.readout_layers": st.sampled_from(["last", "all"]),
        "model.atom_hidden": st.integers(0, 8192),
        "model.element_pairs": st.booleans(),
        "model.feed_forward": st.booleans(),
    },
}
FLAGS: dict[str, Any] = {
    "epochs": COUNTS, "lr": st.floats(1e-6, 1.0), "batch_size": COUNTS, "max_samples": COUNTS,
    "split": SPLITS, "drop_twins": st.booleans(), "cutoff": st.floats(0.5, 20), "patience": COUNTS,
    "balance": st.sampled_from(BALANCES), "precision": st.sampled_from(PRECISIONS),
}  # fmt: skip
MODES = st.sampled_from([{}, {"competition": True}, *({"level": level} for level in LEVELS)])


@st.composite
def requests(draw):
    """A request of any level, with any settings and options that it may have."""
    algorithm = draw(st.sampled_from(ALGORITHMS))
    mode = draw(MODES)
    fixed = algorithm == "e3nn" and mode.get("level") == "lite"
    allowed = {path: SETTINGS[path] for path in ("seed", "properties", "data.source")}
    settings = draw(st.fixed_dictionaries({}, optional=allowed if fixed else SETTINGS | MODELS[algorithm]))
    if not fixed:
        settings |= draw(st.just({}) | st.fixed_dictionaries(SOURCE, optional=FINE_TUNING))
        settings |= draw(st.just({}) | st.fixed_dictionaries(FOUNDATION))
    flags = {} if fixed else draw(st.fixed_dictionaries({}, optional=FLAGS))
    if algorithm == "cgcnn":
        flags |= draw(st.fixed_dictionaries({}, optional={"preset": st.sampled_from(PRESETS)}))
    words = draw(
        st.fixed_dictionaries({}, optional={"seed": SEEDS, "data": SOURCES})
        | st.just({"all_properties": True})
        | PROPERTIES.map(lambda keys: {"properties": tuple(keys)})
    )
    return combine({"algorithm": algorithm} | mode | flags | words, settings=settings_of(settings.items()))
