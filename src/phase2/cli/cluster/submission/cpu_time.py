"""Estimated time and cost of the runs of a submission, and the limit of runs without a GPU."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from phase2.cli.console import note
from phase2.config.settings import store_url
from phase2.errors import Phase2Error

if TYPE_CHECKING:
    from phase2.cluster.estimate.cost import Cost
    from phase2.cluster.estimate.work import Estimate
    from phase2.cluster.plan import Plan
    from phase2.cluster.request.prices import Prices
    from phase2.cluster.request.resources import ClusterRequest
    from phase2.config.levels import Algorithm, Mode
    from phase2.config.resolve import ResolvedRun
    from phase2.runs.records.manifest import RunManifest


def accepted_work(
    runs: Iterable[tuple[ResolvedRun, ClusterRequest]], *, limit_hours: float | None, store: str | None = None
) -> list[Estimate]:
    """Estimate the work of runs.

    Args:
        runs: The runs, each with its resources; all have one store.
        limit_hours: Longest estimated time of a run without a GPU that is accepted; None and 0 are no limit.
        store: Store whose finished runs refine the estimate; None is that of the runs.

    Raises:
        RequestError: A run would take longer.
    """
    from phase2.cluster.estimate.limit import check_cpu_time
    from phase2.cluster.estimate.work import estimate

    @cache
    def finished(store: str | None, algorithm: Algorithm, mode: Mode) -> list[RunManifest]:
        return _finished_runs(store, algorithm, mode)

    works = []
    for run, cluster in runs:
        measured = finished(store or cluster.store, run.config.algorithm, run.config.mode)
        work = estimate(run.config, measured, on_gpu=cluster.gpus > 0, cores=cluster.cores, processes=cluster.processes)
        check_cpu_time(work, limit_hours)
        works.append(work)
    return works


def work_here(runs: Iterable[ResolvedRun], *, store: str | None, threads: int) -> list[Estimate]:
    """Estimate the work of runs in processes of this machine, on its GPU if it has one.

    Args:
        runs: The runs.
        store: Store whose finished runs refine the estimate; None is that of the environment.
        threads: Threads of each run.
    """
    from phase2.cluster.estimate.work import estimate
    from phase2.machine.cuda_driver import ask_driver
    from phase2.machine.versions import installed

    driver = ask_driver()
    on_gpu = driver is not None and bool(driver.compute_modes) and "+cpu" not in (installed("torch") or "")
    finished = cache(_finished_runs)
    return [
        estimate(
            run.config,
            finished(store, run.config.algorithm, run.config.mode),
            on_gpu=on_gpu,
            cores=threads,
        )
        for run in runs
    ]


def cost_of_plans(
    plans: Sequence[Plan], works: Sequence[Estimate], prices: Prices | None, *, is_shared: bool = False
) -> Cost:
    """Return what the runs of plans cost together, each by its estimate.

    Args:
        plans: The plans.
        works: Estimate of each.
        prices: Prices of the installation.
        is_shared: Whether the runs share one pod.
    """
    from phase2.cluster.estimate.cost import Reservation, cost_of

    reserved = [replace(Reservation.of(plan.cluster), is_shared=is_shared) for plan in plans]
    return cost_of(zip(works, reserved, strict=True), prices)


def note_time(works: Iterable[Estimate]) -> None:
    """Print the time of the longest run, if it has no GPU."""
    from phase2.cluster.estimate.limit import describe_time

    without_gpu = [work for work in works if not work.on_gpu]
    if without_gpu:
        longest = max(without_gpu, key=lambda work: work.seconds or 0)
        what = "time" if len(without_gpu) == 1 else "time of the longest run"
        note(f"note: {what}: {describe_time(longest)}")


def _finished_runs(store: str | None, algorithm: Algorithm, mode: Mode) -> list[RunManifest]:
    """Read finished runs from the store, if it is known and answers at once."""
    url = store or store_url()
    if url is None:
        return []
    from phase2.cluster.estimate.finished_runs import newest_finished_runs
    from phase2.storage.s3.settings import S3Settings
    from phase2.storage.urls import open_store

    try:
        quick = replace(S3Settings.from_environment(), attempts=1, timeout=5.0)
        return newest_finished_runs(open_store(url, quick), algorithm, mode)
    except Phase2Error as error:
        note(f"note: the time is estimated without the runs of the store: {error.what}")
        return []
