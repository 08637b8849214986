"""Pages of runs in Weights & Biases, online or as files to be sent later (``WANDB_MODE=offline``)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from phase2.runs.records.history import EpochRow
from phase2.storage.disk.atomic import write_text
from phase2.tracking.base import Tracker
from phase2.tracking.page import Outcome, RunPage, RunResult, epoch_metrics

if TYPE_CHECKING:
    import wandb

_START_SECONDS = 20.0


class WandbTracker(Tracker):
    """Page of a run in Weights & Biases: a run whose id is that of phase2's run."""

    def __init__(self) -> None:
        import wandb

        self._wandb = wandb
        self._run: wandb.Run | None = None
        self._logged = 0
        self._mark = Path()

    def open(self, page: RunPage) -> str:
        """Make or continue the page."""
        run = self._begin(page)
        self._run = run
        # Offline, nobody but this machine knows what an earlier attempt wrote.
        self._mark = Path(run.settings.wandb_dir) / f"{page.family}-{page.run_id}.epochs"
        self._logged = _read_epoch(self._mark) if run.offline else max(run.step - 1, 0)
        self.log(page.rows)
        return f"wandb sync {run.settings.sync_dir}" if run.offline else str(run.url)

    def log(self, rows: Sequence[EpochRow]) -> None:
        """Add epochs."""
        run = self._open_run()
        for row in rows:
            if row.epoch > self._logged:
                run.log({"epoch": row.epoch, **epoch_metrics(row)}, step=row.epoch)
                self._logged = row.epoch
        if run.offline:
            write_text(self._mark, f"{self._logged}\n")

    def finish(self, result: RunResult) -> None:
        """Add the final errors to the summary, the tags to the settings, and the files."""
        run = self._open_run()
        run.summary.update(dict(result.metrics))
        run.config.update(dict(result.tags), allow_val_change=True)  # type: ignore[no-untyped-call]
        for file in result.files:
            if file.is_file():
                run.save(str(file), base_path=str(file.parent), policy="now")

    def close(self, outcome: Outcome) -> None:
        """Send what is left, and mark how the run ended."""
        run = self._open_run()
        if outcome == "stopped":
            run.mark_preempting()
        run.finish(exit_code=0 if outcome == "finished" else 1)
        self._run = None

    def _begin(self, page: RunPage) -> wandb.Run:
        tags = (page.settings["algorithm"], page.settings["mode"], page.family)
        return self._wandb.init(
            id=page.run_id,
            name=page.run_id,
            resume="allow",
            project=os.environ.get("WANDB_PROJECT") or "phase2",
            group=os.environ.get("WANDB_RUN_GROUP") or page.family,
            config={**page.settings, **page.tags},
            allow_val_change=True,
            tags=[str(tag)[:64] for tag in tags],
            dir=os.environ.get("WANDB_DIR") or str(page.folder),
            # Neither the code nor the command nor the environment of this process; the use of the machine is the
            # training's.
            settings=self._wandb.Settings(
                console="off",
                silent=True,
                disable_code=True,
                disable_git=True,
                save_code=False,
                x_disable_meta=True,
                x_save_requirements=False,
                x_stats_pid=os.getppid(),
                init_timeout=_START_SECONDS,
                login_timeout=_START_SECONDS,
            ),
        )

    def _open_run(self) -> wandb.Run:
        if self._run is None:
            raise RuntimeError("The page is not open.")
        return self._run


def _read_epoch(mark: Path) -> int:
    try:
        return int(mark.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0
