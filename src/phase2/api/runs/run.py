"""A finished run: where it lies, what it achieved, and its model."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

from phase2.api.results.run_tables import History, Metrics, PartTable
from phase2.api.runs.references import RunReference, run_directory
from phase2.output.html_text import html_text
from phase2.output.visible import visible
from phase2.runs.layout import RunDirectory
from phase2.runs.records.manifest import RunManifest, read_manifest


def load_run(run: RunReference = "latest", *, store: str | os.PathLike[str] | None = None) -> Run:
    """Open a finished run; one that lies in a bucket is brought into the cache, verified.

    Args:
        run: Its id or folder name (or the unique beginning of one), ``best``, ``latest``, its folder, a row of
            :func:`phase2.list_runs`, or its address ``s3://bucket/prefix/family/run_...``.
        store: Where named runs are looked up: a folder or ``s3://bucket/prefix``. By default ``$PHASE2_STORE``, or the
            folder ``models``.

    Raises:
        RequestError: There is no such run, or it is not finished.
        ModelFileError: Its manifest is damaged.
        TransientError: The store does not answer.

    Examples:
        >>> settings = {"algorithm": "cgcnn", "level": "smoke", "epochs": 2, "max_samples": 60, "output": folder}
        >>> trained = phase2.train(progress=False, **settings)
        >>> phase2.load_run("latest", store=folder).id == trained.id
        True
    """
    directory = run_directory(run, store)
    return Run(directory, read_manifest(directory.manifest))


class Run:
    """A finished run.

    Args:
        directory: Its folder.
        manifest: Its sealed manifest.
        published: Where it lies in the store that it was published to.
    """

    def __init__(self, directory: RunDirectory, manifest: RunManifest, published: str | None = None) -> None:
        self._files = directory
        self.manifest = manifest
        self.published = published

    @property
    def id(self) -> str:
        """Its id."""
        return self.manifest.run_id

    @property
    def directory(self) -> Path:
        """Its folder."""
        return self._files.path

    @property
    def best_model(self) -> Path:
        """The file of its best model, ``best.pt``."""
        return self._files.best

    @property
    def parity(self) -> Path:
        """The picture of predicted against reference values of the test crystals; drawn where matplotlib was there."""
        return self._files.parity

    @property
    def calibration(self) -> Path:
        """Picture of how well intervals hold on the test part; missing where matplotlib is, or in runs of 0.1."""
        return self._files.calibration

    @property
    def report(self) -> Path:
        """The report, one file of HTML; missing where Jinja2 was, or in runs of 0.1: ``phase2 report`` makes it."""
        return self._files.report

    @property
    def learning_curve(self) -> Path:
        """The picture of losses and errors by epoch; drawn where matplotlib was there."""
        return self._files.learning_curve

    @cached_property
    def metrics(self) -> Metrics:
        """Errors on validation and test crystals, by property, beside the median and gradient boosting."""
        return Metrics(self.manifest)

    @cached_property
    def history(self) -> History:
        """One row per epoch."""
        return History.read(self._files.history)

    @cached_property
    def test_predictions(self) -> PartTable:
        """Labels and predictions of the test crystals."""
        return PartTable(self._files.predictions_test, self.manifest.properties)

    @cached_property
    def val_predictions(self) -> PartTable:
        """Labels and predictions of the validation crystals."""
        return PartTable(self._files.predictions_val, self.manifest.properties)

    def __repr__(self) -> str:
        return visible(f"<{self._summary()}; {self.directory}>")

    def _repr_html_(self) -> str:
        place = html_text(str(self.directory))
        return f"<p>{html_text(self._summary())}<br><code>{place}</code></p>{self.metrics._repr_html_()}"

    def _summary(self) -> str:
        found = self.manifest
        score = "" if found.score is None else f", score {found.score:.3f}"
        epochs = f"best epoch {found.best_epoch} of {found.epochs}"
        return f"run '{self.id}': {found.algorithm} {found.mode}, {found.status}, {epochs}{score}"
