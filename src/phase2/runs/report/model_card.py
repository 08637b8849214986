"""The model card (``MODEL_CARD.md``), with the sections of Mitchell et al. (FAT* 2019)."""

from __future__ import annotations

from phase2.config.schema import CgcnnConfig, RunConfig
from phase2.output.markdown_text import Markup, code, markdown_text
from phase2.output.wording import counted
from phase2.runs.records.manifest import DataFacts, RunManifest
from phase2.runs.report.boosting import boosting_sentence
from phase2.runs.report.caveats import caveats
from phase2.runs.report.citations import OPTIMIZERS, citations
from phase2.runs.report.foundation import foundation_caveats, foundation_sentence
from phase2.runs.report.leakage import leakage_section, split_sentence
from phase2.runs.report.markdown import bullets, number, paragraph, table
from phase2.runs.report.tables.intervals import intervals_section
from phase2.runs.report.tables.metrics import metrics_table

_PAGE = """\
# Model card: {algorithm} {mode}, run {run_id}

The sections follow Mitchell et al., *Model Cards for Model Reporting*, FAT* 2019, doi:10.1145/3287560.3287596.

## Model details

{details}

## Intended use

- Screening: ranking many ordered, periodic crystals by computed properties before costlier calculations.
- For people who can judge a property from density functional theory and its errors.
- Not for molecules, surfaces, defects, disordered crystals or amorphous matter; not instead of a calculation or a
  measurement where a single number matters.

## Factors

Errors depend on the chemistry: they are larger for elements and structures that are rare in the training data, and
`phase2 predict` warns about elements that it never saw. They depend on the property, through its number of labels.

## Metrics

Mean absolute error (MAE) in the property's unit, beside the MAE of predicting the median of the training labels
for every crystal{boosting_metric}.{binary_metric}

## Evaluation data

{evaluation}

## Training data

{training}

## Quantitative analyses

{metrics}
{boosting}
Validation score {score} (mean over the properties of MAE / MAE of the median baseline{more}). `parity.png` shows every
test crystal.
{intervals}
## Ethical considerations

The data describe matter, not people. A screening tool can be turned to hazardous materials like any other; the model
knows nothing about toxicity, stability in air or cost.

## Caveats and recommendations

{caveats}

## Cite

{citations}
"""

_LICENCES = {
    "sample": "BSD licence of matminer for the file, CC BY 4.0 for the Materials Project's data in it.",
    "jarvis-dft3d": "As stated by its publisher at doi:10.6084/m9.figshare.6815699.",
}
_BOOSTING = """, and of gradient boosting (scikit-learn's
`HistGradientBoostingRegressor` on statistics of composition, lattice and coordination) fitted to the same labels"""
_BINARY = """ Of binary properties log loss, area under the ROC
curve, accuracy and F1, beside the log loss of predicting the share of true training labels for every crystal."""
_SCORE_OF_BINARY = ", of binary\nones log loss / log loss of that share"
_LIMITS = (
    "Labels are computed, not measured, and carry the errors of their functional: "
    "gaps of semilocal functionals are too small.",
    "Test crystals are drawn from the same data set: errors on other kinds of crystals are larger.",
)
_NO_INTERVALS = "Predictions come without an uncertainty."
_INTERVALS = Markup(
    "The intervals of `phase2 predict --interval` hold for crystals like those of the data set as a whole, not for "
    "each kind of crystal; those with a warning are unlike it."
)


def model_card(manifest: RunManifest) -> str:
    """Write the model card of a finished run, in Markdown."""
    source, is_binary = manifest.config.data.source, any(one.is_binary for one in manifest.val)
    return _PAGE.format(
        algorithm=manifest.algorithm,
        mode=manifest.mode,
        run_id=markdown_text(manifest.run_id),
        details=_details(manifest),
        evaluation=_evaluation(manifest),
        training=_start(manifest) + _training(manifest.data, source),
        metrics=metrics_table(manifest.val, manifest.test, manifest.baselines),
        boosting=paragraph(markdown_text(boosting_sentence(manifest.val, manifest.baselines))),
        boosting_metric=_BOOSTING if manifest.baselines else "",
        binary_metric=_BINARY if is_binary else "",
        score=number(manifest.score),
        more=_SCORE_OF_BINARY if is_binary else "",
        intervals=paragraph(intervals_section(manifest.intervals, heading="###")),
        caveats=bullets(
            [
                *caveats(manifest.test, manifest.left_out, manifest.config.data.own),
                *_labels(manifest),
                *_inherited(manifest),
                *_limits(manifest),
            ]
        ),
        citations=bullets(map(Markup, citations(manifest.config))),
    )


def _limits(manifest: RunManifest) -> list[str]:
    return [*_LIMITS, _INTERVALS if manifest.intervals else _NO_INTERVALS]


def _labels(manifest: RunManifest) -> list[str]:
    """Remarks on labels; they are among those that the errors above were measured with."""
    return [f"Labels of {remark}" for remark in manifest.data.remarks] if manifest.data else []


def _inherited(manifest: RunManifest) -> list[str]:
    seen = foundation_caveats(manifest.config, manifest.properties)
    return [*seen, *(manifest.lineage.caveats() if manifest.lineage else [])]


def _details(manifest: RunManifest) -> str:
    config = manifest.config
    fitting = config.training
    return table(
        ("what", "value"),
        [
            ("network", _network(config)),
            (
                "graph",
                f"neighbours within {config.data.graph.cutoff:g} angstrom, the {config.data.graph.neighbors} nearest",
            ),
            ("predicts", ", ".join(manifest.config.get_property(key).predicted_heading for key in manifest.properties)),
            (
                "fitted by",
                f"{OPTIMIZERS[fitting.optimizer]}, learning rate {fitting.lr:g}, batches of {fitting.batch_size}, "
                f"{fitting.loss} loss",
            ),
            ("epochs", f"{manifest.epochs}, best {manifest.best_epoch}"),
            ("time of an epoch", f"{number(manifest.mean_epoch_seconds)} s"),
            ("trained on", manifest.hardware.gpu or f"{manifest.hardware.cpu}, {manifest.hardware.cores:g} cores"),
            ("date", manifest.attempts[-1].start.date().isoformat() if manifest.attempts else "-"),
            ("software", f"phase2 {manifest.code.phase2}, Apache-2.0"),
        ],
    )


def _network(config: RunConfig) -> str:
    model = config.model
    if isinstance(model, CgcnnConfig):
        return f"crystal graph convolutions, {model.convolutions} of width {model.width} (preset {model.preset})"
    channels = " + ".join(f"{count}x{degree}" for degree, count in enumerate(model.channels))
    return f"E(3)-equivariant message passing, {counted(model.layers, 'layer')} of {channels} (multiplicity x degree)"


def _evaluation(manifest: RunManifest) -> str:
    if manifest.data is None:
        return "Unknown."
    data = manifest.data
    text = (
        f"{data.val:,} validation and {counted(data.test, 'test crystal')} of {code(data.source)}, the same for all "
        f"properties. Split {markdown_text(split_sentence(manifest.config.data, data.split))}. The epoch was chosen on "
        f"the validation part; the test part was used once. Split fingerprint {code(data.split_fingerprint)}."
    )
    leakage = leakage_section(manifest.leakage)
    return f"{text}\n\n{leakage}" if leakage else text


def _start(manifest: RunManifest) -> str:
    found = (foundation_sentence(manifest.config), manifest.lineage.sentence() if manifest.lineage else "")
    return "".join(f"{markdown_text(sentence)}\n\n" for sentence in found if sentence)


def _training(data: DataFacts | None, source: str) -> str:
    if data is None:
        return "Unknown."
    labels = [
        (key, *(f"{data.labels.get(part, {}).get(key, 0):,}" for part in ("train", "val", "test")))
        for key in data.labels.get("train", {})
    ]
    text = (
        f"{counted(data.train, 'crystal')} of {code(data.source)}. Of its {counted(data.read, 'record')}, "
        f"{data.rejected:,} {'was' if data.rejected == 1 else 'were'} no valid crystal and {data.unlabelled:,} had no "
        f"label for these properties. Data fingerprint {code(data.fingerprint)}."
    )
    licence = _LICENCES.get(source, "Not known to phase2: state it before you share the model.")
    counts = table(("labels", "training", "validation", "test"), labels, numeric=3)
    return f"{text}\n\n{counts}\n\nLicence of the data: {licence}"
