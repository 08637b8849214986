"""``phase2 embed``: write the features of structures, for any model of one's own on top."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.console import note
from phase2.cli.models.inputs import FilesOption, given_files, list_structures
from phase2.cli.models.options import (
    MODEL_HELP,
    ForOption,
    ModelsOption,
    PaddingOption,
    ReadersOption,
    chosen_model_files,
)
from phase2.cli.options import DeviceOption, LimitOption, given_limits
from phase2.cli.store import StoreOption, local_runs, open_existing_store
from phase2.config.foundation_models import FOUNDATION_MODELS, foundation_model
from phase2.errors import DataError, RequestError

if TYPE_CHECKING:
    from phase2.config.limits import ReadingLimits
    from phase2.prediction.embedding import Embedder, Embeddings


def embed(  # noqa: PLR0913 - options
    *,
    output: Annotated[Path, typer.Option("--output", help="Write .parquet or .npz here.")],
    cif: FilesOption = None,
    directory: Annotated[
        str | None, typer.Option("--dir", help="A folder of structures, or s3://bucket/prefix.")
    ] = None,
    data: Annotated[str | None, typer.Option("--data", help="A data set by name or path, as for training.")] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            help=f"{MODEL_HELP} (default: the best of the runs that compare with the newest).",
            autocompletion=local_runs,
        ),
    ] = None,
    models: ModelsOption = None,
    run: Annotated[
        str | None,
        typer.Option("--run", help="A run of the store, by id, 'best' or 'latest'.", autocompletion=local_runs),
    ] = None,
    by: ForOption = None,
    store: StoreOption = None,
    backbone: Annotated[
        str | None,
        typer.Option("--backbone", help=f"A pretrained potential instead: {', '.join(FOUNDATION_MODELS)}."),
    ] = None,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Crystals per batch.")] = 64,
    padding_buckets: PaddingOption = None,
    workers: ReadersOption = None,
    device: DeviceOption = "auto",
    settings: LimitOption = None,
) -> None:
    """Write the features of structures that a trained model's heads read, or those of a pretrained potential."""
    if sum(map(bool, (cif, directory, data))) != 1:
        raise RequestError("Give one of --cif FILE, --dir FOLDER and --data NAME.", why="It says what to embed.")
    if sum(one is not None for one in (model, run, backbone)) > 1:
        raise RequestError("Give one of --model, --run and --backbone.", why="It says which model embeds.")
    from phase2.prediction.embedding import FORMATS, embed_structures
    from phase2.prediction.table import check_output

    check_output(output, FORMATS)
    limits = given_limits(settings)
    from phase2.cli.progress import work_bar
    from phase2.prediction.reading.graph_reader import GraphReader

    embedder = _embedder(
        model, run, backbone, by=by, models=models, store=store, device=device, padding_buckets=padding_buckets
    )
    with (
        TemporaryDirectory() as folder,
        GraphReader(limits, workers=workers) as reader,
        work_bar("structures") as progress,
    ):
        if data is not None:
            found = _embed_data(embedder, data, batch_size, limits, store)
        else:
            given = (
                given_files(cif, Path(folder), limits)
                if cif
                else list_structures(directory or "", None, Path(folder), limits, store)
            )
            found = embed_structures(embedder, given.files, batch_size=batch_size, progress=progress, reader=reader)
            found = found.relative_to(Path(folder)).with_failures(given.rows())
    found.write(output)
    note(f"{len(found.ids)} structures embedded, {found.features.shape[1]} features each: {output}")
    _raise_on_failures(found)


def _embedder(
    model: str | None,
    run: str | None,
    backbone: str | None,
    *,
    by: str | None,
    models: Path | None,
    store: str | None,
    device: str,
    padding_buckets: int | None,
) -> Embedder:
    from phase2.models.device import choose_device

    if backbone is not None:
        foundation_model(backbone)  # refuses an unknown name before anything is loaded
    from phase2.prediction.embedders import ModelEmbedder, PotentialEmbedder

    where = choose_device(device)
    if backbone is not None:
        note(f"model: {foundation_model(backbone).title}")
        return PotentialEmbedder(backbone, where)
    from phase2.prediction.predictor import Predictor

    (path,) = chosen_model_files(None if model is None else [model], None if run is None else [run], models, store, by)
    note(f"model: {path}")
    return ModelEmbedder(Predictor.load(path, where, padding_buckets=padding_buckets))


def _embed_data(embedder: Embedder, data: str, batch_size: int, limits: ReadingLimits, store: str | None) -> Embeddings:
    from phase2.cli.progress import work_bar
    from phase2.config.schema import DataConfig
    from phase2.data.dataset import open_graph_store
    from phase2.prediction.embedding import embed_store

    place = open_existing_store(store) if store else None
    opened = open_graph_store(DataConfig(source=data, graph=embedder.spec, limits=limits), stored_in=place)
    if opened.rejected:
        note(f"{len(opened.rejected)} records are no valid crystal")
    with work_bar("crystals") as progress:
        return embed_store(embedder, opened.graphs, batch_size=batch_size, progress=progress)


def _raise_on_failures(found: Embeddings) -> None:
    for row in found.failures:
        note(f"not embedded: {row.file}: {row.error}")
    if found.failures:
        raise DataError(
            f"{len(found.failures)} of {len(found.failures) + len(found.ids)} structures could not be embedded.",
            why="The reasons are listed above.",
            fix="Repair or remove those files; all other structures were embedded.",
        )
