"""The split of a run and its leakage, in words and as a table."""

from __future__ import annotations

from phase2.config.data.splits import SplitName, parse_split
from phase2.config.schema import DataConfig
from phase2.runs.records.splits import Leakage, SplitFacts
from phase2.runs.report.markdown import number, table

COLUMNS = ("property", "unit", "with twin", "error with twin", "without", "error without")

_KEPT = {
    "composition": "composition",
    "chemsys": "set of elements",
    "spacegroup": "space group",
    "prototype": "prototype",
}


def split_sentence(config: DataConfig, facts: SplitFacts | None = None) -> str:
    """Describe the split of a run: its name, what it means, its seed and its remarks.

    Args:
        config: Data settings of the run.
        facts: What was recorded of the split; None for a run of an earlier version.

    Example:
        >>> split_sentence(DataConfig(split="kfold:5/2"))
        'kfold:5/2: fold 2 of 5 is the test part, the folds drawn by crystal; seed 42'
    """
    name = parse_split(config.split_name)
    parts = [f"{name.text}: {_meaning(name)}", f"seed {config.split_seed}", *(facts.remarks() if facts else ())]
    return "; ".join(parts)


def leakage_rows(leakage: Leakage) -> list[tuple[str, ...]]:
    """Return the errors on test crystals with twins and on the others, one row per property."""
    return [
        (
            row.key,
            row.unit or "-",
            f"{row.twins:,}",
            number(row.twins_mae),
            f"{row.others:,}",
            number(row.others_mae),
        )
        for row in leakage.errors
    ]


def leakage_section(leakage: Leakage | None) -> str:
    """Write what leaks into the test part, in Markdown; nothing for a run of an earlier version."""
    if leakage is None:
        return ""
    rows = leakage_rows(leakage) if leakage.twins + leakage.near_twins else []
    return leakage.sentence() + (f"\n\n{table(COLUMNS, rows, numeric=4)}" if rows else "")


def _meaning(name: SplitName) -> str:
    units = " and ".join(_KEPT.get(key, f"value of {key}") for key in name.keys)
    if name.method == "groups":
        return f"all crystals of one {units} in one part"
    if name.method == "kfold":
        drawn = f"all crystals of one {units} in one fold" if units else "the folds drawn by crystal"
        return f"fold {name.fold} of {name.folds} is the test part, {drawn}"
    return {
        "random": "drawn by crystal",
        "stratified": "drawn by crystal, with labels of each property in every part",
        "element": f"crystals with {name.argument} are the test part",
        "file": "the parts of a published split",
        "matbench": "this fold of matbench is the test part, the folds drawn by row",
    }[name.method]
