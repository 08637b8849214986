"""``phase2 data describe``: what a data set holds."""

from __future__ import annotations

from phase2.cli.console import print_table
from phase2.cli.data.options import DataStoreOption, SourceOption, find_data_store
from phase2.cli.options import LimitOption, given_limits


def describe(data: SourceOption = "sample", settings: LimitOption = None, store: DataStoreOption = None) -> None:
    """Show how many labels a data set has of each property, and their range."""
    import numpy as np

    from phase2.cli.progress import work_bar
    from phase2.config.schema import DataConfig
    from phase2.data.dataset import open_graph_store
    from phase2.properties import PROPERTIES

    with work_bar("crystals") as progress:
        config = DataConfig(source=data, limits=given_limits(settings))
        built = open_graph_store(config, stored_in=find_data_store(store), progress=progress)
    rows = []
    for prop, column in zip(PROPERTIES, np.asarray(built.graphs.targets).T, strict=True):
        labels = column[~np.isnan(column)]
        figures = [f"{q:.4g}" for q in np.quantile(labels, (0, 0.5, 1))] if len(labels) else ["-"] * 3
        rows.append((prop.key, prop.unit or "-", str(len(labels)), *figures))
    title = f"{data}: {len(built.graphs.ids)} crystals, {len(built.rejected)} records rejected"
    print_table(
        title, ("property", "unit", "labels", "lowest", "median", "highest"), rows,
        numeric=("labels", "lowest", "median", "highest"),
    )  # fmt: skip
