"""The page of the levels: what each algorithm trains at each level and in competition."""

from phase2.config.levels import PROFILES, Profile
from phase2.config.schema import CGCNN_PRESETS, EQUIVARIANT_SIZES
from phase2.runs.report.markdown import markup_table


def levels_page() -> str:
    """Return the page: the levels table, the presets and the defaults."""
    columns = ("algorithm", "mode", "backend", "network", "epochs", "batch size", "learning rate", "max samples")
    rows = [(row.algorithm, row.mode, f"`{row.backend}.py`", row.size, *_numbers(row)) for row in PROFILES.values()]
    cgcnn = [(name, str(c.width), str(c.convolutions)) for name, c in CGCNN_PRESETS.items()]
    e3nn = [(name, _irreps(c.channels), str(c.layers)) for name, c in EQUIVARIANT_SIZES.items()]
    return _LEVELS.format(
        levels=markup_table(columns, rows),
        cgcnn=markup_table(("preset", "width", "convolutions"), cgcnn),
        e3nn=markup_table(("size", "channels", "layers"), e3nn),
    )


def _numbers(row: Profile) -> tuple[str, ...]:
    values = {"epochs": row.epochs, "batch_size": row.batch_size, "lr": row.lr, "max_samples": row.max_samples}
    texts = {name: "all" if value is None else f"{value:g}" for name, value in values.items()}
    return tuple(f"{text} *" if name in row.project_defaults else text for name, text in texts.items())


def _irreps(channels: tuple[int, ...]) -> str:
    return " + ".join(f"{n}x{degree}{'eo'[degree % 2]}" for degree, n in enumerate(channels))


_LEVELS = """\
# Levels

What each algorithm trains at each level and in competition. A number with * is a project default: the operation manual
leaves it open. `e3nn lite` is fixed: it takes no override. `phase2 explain` shows the complete configuration of any
request, and [every other setting](configuration.md) has a page of its own.

{levels}

`--preset` replaces the network of cgcnn (Xie & Grossman 2018: width by convolutions):

{cgcnn}

The e3nn network has no preset; its size comes with the level:

{e3nn}
"""
