"""A row of :func:`phase2.list_runs`: what a list shows of a run, and the store that it is in."""

from __future__ import annotations

from pydantic import Field

from phase2.runs.catalog.summary import RunSummary


class ListedRun(RunSummary):
    """One run of a list, which names the run by itself wherever a run is asked for.

    Attributes:
        store: Address of its store: ``file:///folder`` or ``s3://bucket/prefix``. No part of what a row shows, but rows
            of other stores are other rows.
    """

    store: str = Field(exclude=True, repr=False)

    @classmethod
    def of(cls, summary: RunSummary, store: str) -> ListedRun:
        """Return the row of a run in the store at an address."""
        return cls.model_construct(summary.model_fields_set | {"store"}, **dict(summary), store=store)

    @property
    def address(self) -> str:
        """Its address: that of the store, its family and the name of its folder."""
        return f"{self.store.rstrip('/')}/{self.prefix}"
