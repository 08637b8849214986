"""Rules by which hopeless trials are stopped."""

from __future__ import annotations

from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner

from phase2.tuning.definition import PrunerName

_WARMUP = 0.2  # share of the epochs in which nothing is pruned: the rate still rises, and the average lags
_STARTUP_TRIALS = 4
_REDUCTION = 3


def make_pruner(name: PrunerName, epochs: int) -> BasePruner:
    """Make the pruner of a study.

    ``median`` stops a trial whose best epoch so far is worse than the median of the others at the same epoch (Golovin
    et al., KDD 2017, median stopping); ``hyperband`` keeps the best third at each of a few epochs (Li et al., JMLR 18,
    185, 2018).

    Args:
        name: Its name.
        epochs: Epochs of every trial.
    """
    warmup = max(1, round(_WARMUP * epochs))
    if name == "median":
        return MedianPruner(n_startup_trials=_STARTUP_TRIALS, n_warmup_steps=warmup, n_min_trials=2)
    if name == "hyperband":
        return HyperbandPruner(min_resource=warmup, max_resource=epochs, reduction_factor=_REDUCTION)
    return NopPruner()
