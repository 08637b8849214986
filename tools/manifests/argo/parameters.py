"""Parameters of the workflows: their names, defaults and the values that each accepts."""

from dataclasses import dataclass, replace

from hera.workflows import models

from phase2.cluster.request.image import Image
from phase2.cluster.request.resources import MAX_GPUS, MAX_NODES, ClusterRequest
from phase2.config.assignments import SEPARATOR
from phase2.config.data.splits import GROUP_KEYS
from phase2.config.foundation_models import FOUNDATION_MODELS
from phase2.config.levels import ALGORITHMS, LEVELS, PRESETS
from phase2.config.request.options import BALANCES, FREEZES, PRECISIONS
from phase2.properties import KEY
from phase2.tuning.definition import PRUNERS

_DEFAULTS = ClusterRequest(image=Image.parse("phase2:latest"))
_INSTALLED = "empty is the installation's."
_NUMBER = "^[0-9]{0,9}$"
_NAME = "^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$"
_MEMORY = "[0-9]{1,9}([.][0-9]{1,9})?[MGT]i?"
_BUCKET = "s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._/-]*)?"


@dataclass(frozen=True)
class Parameter:
    """Parameter of a workflow, given as ``-p name=value``.

    Attributes:
        name: Name of the parameter.
        value: Default, a string as all values are; "" means not given.
        description: One line for users.
        choices: Values that are allowed besides ""; empty where any value of the shape is.
        is_list: Whether several choices may be given, between commas.
        shape: Regular expression (RE2) that other values match. A value may reach podSpecPatch, where a line break in
            it would add fields to the pod.
    """

    name: str
    value: str
    description: str
    choices: tuple[str, ...] = ()
    is_list: bool = False
    shape: str = ""

    @property
    def allowed(self) -> tuple[str, ...]:
        """Values of a closed parameter; "" stands for not given, also where the default is another one."""
        return ("", *self.choices)

    @property
    def variable(self) -> str:
        """Environment variable of the option of ``phase2 train`` that has this name."""
        return f"PHASE2_{self.name.upper().replace('-', '_')}"

    def declaration(self) -> models.Parameter:
        """Return the parameter as a WorkflowTemplate declares it."""
        enum = list(self.allowed) if self.choices and not self.is_list else None
        return models.Parameter(name=self.name, value=self.value, description=self.description, enum=enum)


_SWITCH = ("true", "false")

ALGORITHM = Parameter("algorithm", "e3nn", "Kind of the network.", ALGORITHMS)
LEVEL = Parameter("level", "", "What is trained; empty is std, or the profile where competition is true.", LEVELS)
COMPETITION = Parameter("competition", "false", "Train the competition profile instead of a level.", _SWITCH)
ALL_PROPERTIES = Parameter("all-properties", "false", "Train all nine properties.", _SWITCH)
PROPERTIES = Parameter(
    "properties", "", "Properties, between commas; empty is the four of the manual, or those that property defines.",
    shape=f"^( *{KEY} *(, *{KEY} *)*)?$",
)  # fmt: skip
# What phase2.config.data.own_properties.FORBIDDEN leaves. CEL would escape a backslash or a quote in the list itself.
_WORD = "[ !#%&()*+,./0-9:=?@A-Z^_a-z~\u00a1-\u2bff-]*"
_ENTRY = f'"[a-z]+":("{_WORD}"|-?[0-9.e+-]{{1,30}})'
_DEFINITION = f"({KEY}(:{_WORD}){{0,2}}|[{{]{_ENTRY}(,{_ENTRY})*[}}])"
PROPERTY = Parameter(
    "property",
    "",
    "Properties of your own: cv:J/mol/K:heat_capacity, or mappings of JSON, several with ';' between them.",
    shape=f"^({_DEFINITION}(; ?{_DEFINITION})*)?$",
)
RESUME = Parameter("resume", "", "Run of the store to continue, by id.", shape="^[A-Za-z0-9._/-]{0,200}$")
EPOCHS = Parameter("epochs", "", "Passes over the training set.", shape=_NUMBER)
LR = Parameter("lr", "", "Peak learning rate.", shape="^([0-9]{0,4}[.]?[0-9]{1,12}(e-?[0-9]{1,2})?)?$")
BATCH_SIZE = Parameter("batch-size", "", "Crystals per step.", shape=_NUMBER)
PRESET = Parameter("preset", "", "Network of cgcnn.", PRESETS)
MAX_SAMPLES = Parameter("max-samples", "", "Use at most this many crystals.", shape=_NUMBER)
SEED = Parameter("seed", "", "Seed of the run.", shape="^[0-9]{0,10}$")
_PART = "[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}"  # never '..'
_PATH = f"{_PART}(/{_PART}){{0,9}}/?"
_CACHED = f"/work/cache/{_PATH}"
_OBJECTS = f"s3://[a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9](/{_PATH})?"
DATA = Parameter(
    "data", "", "sample, jarvis-dft3d, s3://bucket/path, a path below /work/cache, or a data set of the store: its "
    "name or sha256:...; empty is sample.",
    shape=f"^({_PATH}|{_CACHED}|{_OBJECTS}|sha256:[0-9a-f]{{6,64}})?$",
)  # fmt: skip
_KEY = f"({'|'.join(GROUP_KEYS)}|column:[A-Za-z0-9_.-]{{1,100}})"
_KEYS = f"{_KEY}([+]{_KEY}){{0,3}}"
_SPLIT = f"element:[A-Z][a-z]?|kfold:[0-9]{{1,3}}/[0-9]{{1,3}}(:{_KEYS})?|matbench:fold_[0-4]|file:{_CACHED}"
SPLIT = Parameter(
    "split", "", "How crystals are divided: random, composition, kfold:5/1, ...; empty is random.",
    shape=f"^(random|stratified|{_KEYS}|{_SPLIT})?$",
)  # fmt: skip
DROP_TWINS = Parameter("drop-twins", "false", "Leave out test crystals with a twin in the training part.", _SWITCH)
CUTOFF = Parameter("cutoff", "", "Longest edge, angstrom.", shape="^([0-9]{1,2}([.][0-9]{1,17})?)?$")
PATIENCE = Parameter("patience", "", "Epochs without a better score before the run stops.", shape=_NUMBER)
BALANCE = Parameter("balance", "", "How the losses of the properties are weighed.", BALANCES)
PRECISION = Parameter("precision", "", "Arithmetic on a GPU.", PRECISIONS)
BACKBONE = Parameter("backbone", "", "Pretrained potential whose features the run reads.", tuple(FOUNDATION_MODELS))
FROM = Parameter(
    "from", "", "Run whose weights this one starts from: s3://bucket/prefix/family/run_...", shape=f"^({_BUCKET})?$"
)
FREEZE = Parameter("freeze", "", "With from: backbone trains the heads alone.", FREEZES)
NEW_HEADS = Parameter("new-heads", "false", "With from: begin with untrained heads.", _SWITCH)
_SETTING = f'[a-z_]+([.][a-z0-9_]+)*=([][A-Za-z0-9.,+_ -]+|{_CACHED}|"({_SPLIT})")'
SET = Parameter(
    "set",
    "",
    f"Other settings: training.warmup=0.1, several with '{SEPARATOR}' between them.",
    shape=f"^({_SETTING}({SEPARATOR} ?{_SETTING})*)?$",
)
_OVER = "[a-z_]+([.][a-z0-9_]+)*=[][A-Za-z0-9.,:=+_ -]+"
OVER = Parameter(
    "over", "", f"Settings to search: training.lr=1e-4..1e-2:log, several with '{SEPARATOR}' between them.",
    shape=f"^({_OVER}({SEPARATOR} ?{_OVER})*)?$",
)  # fmt: skip
TRIALS = Parameter("trials", "", "Trials in all; empty is 20.", shape="^([1-9][0-9]{0,4})?$")
MINIMISE = Parameter("minimise", "", "The score, or a property for its validation MAE.", shape=f"^({KEY})?$")
PRUNER = Parameter("pruner", "", "Rule by which hopeless trials are stopped; empty is median.", PRUNERS)
TIMEOUT_HOURS = Parameter(
    "timeout-hours", "", "Time after which the workers end; the next workflow goes on.",
    shape="^([0-9]{1,6}([.][0-9]{1,6})?)?$",
)  # fmt: skip
WORKERS = Parameter("workers", "4", "Pods that share the trials.", shape="^[1-9][0-9]?$")
STUDY = Parameter("study", "", "Name of the study; empty is the name of the workflow.", shape=_NAME)
IMAGE = Parameter(
    "image",
    _DEFAULTS.image.reference,
    "Container image; at a digest, so that it is known what ran.",
    shape="^[a-zA-Z0-9][a-zA-Z0-9._:/-]{0,250}(@sha256:[0-9a-f]{64})?$",
)
RUN_NAME = Parameter("run-name", "", "Run id; empty is the name of the workflow.", shape=_NAME)
STORE = Parameter(
    "store", "", "Where runs are kept; empty is what the ConfigMap phase2-store says.", shape=f"^({_BUCKET})?$"
)
_GPUS = "|".join(map(str, range(MAX_GPUS + 1)))
GPUS = Parameter(
    "gpus", "", f"GPUs of a pod, which share every batch, 0 to {MAX_GPUS}; {_INSTALLED}", shape=f"^({_GPUS})?$"
)
_NODES = "|".join(map(str, range(1, MAX_NODES + 1)))
NODES = Parameter(
    "nodes", "", "Pods that train the run together, each with those GPUs; empty is 1.", shape=f"^({_NODES})?$"
)
GPU_RESOURCE = Parameter(
    "gpu-resource", "", f"Name of the GPUs in the cluster; {_INSTALLED}",
    shape="^([a-z0-9][a-z0-9.-]{0,251}/[A-Za-z0-9][A-Za-z0-9._-]{0,61})?$",
)  # fmt: skip
_CPU = "[0-9]{1,7}([.][0-9]{1,9})?m?"
CPU = Parameter("cpu", "", f"Cores reserved, and threads; {_INSTALLED}", shape=f"^({_CPU})?$")
MEMORY = Parameter("memory", "", f"Memory given, and held to; {_INSTALLED}", shape=f"^({_MEMORY})?$")
RETRY_MEMORY = Parameter(
    "retry-memory", "", "Memory of further attempts, where the first ran out of it, say.", shape=f"^({_MEMORY})?$"
)
EPHEMERAL_STORAGE = Parameter(
    "ephemeral-storage", "", f"Disk of the node, request and limit; {_INSTALLED}", shape=f"^({_MEMORY})?$"
)
QUEUE = Parameter(
    "queue", "", f"Kueue queue that admits the training pod; {_INSTALLED}",
    shape="^([a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?)?$",
)  # fmt: skip
PRIORITY = Parameter("priority", "", f"Priority class of the training pod; {_INSTALLED}", shape="^[a-z0-9.-]{0,253}$")
NODE_SELECTOR = Parameter(
    "node-selector", "", f"Labels that the node must have, as JSON; {_INSTALLED}",
    shape='^([{][A-Za-z0-9":/._, -]*[}])?$',
)  # fmt: skip
# Objects of JSON without objects in them: no two braces of one kind meet, which would be a tag of Argo.
_FLAT = '[{][A-Za-z0-9":/._, -]*[}]'
TOLERATIONS = Parameter(
    "tolerations", "", f"Taints that the pod tolerates, as JSON; {_INSTALLED}",
    shape=f"^([[]({_FLAT}(, ?{_FLAT})*)?[]])?$",
)  # fmt: skip
MAX_HOURS = Parameter(
    "max-hours", "", f"Longest estimated time without a GPU, hours, 0 for no limit; {_INSTALLED}",
    shape="^([0-9]{1,6}([.][0-9]{1,6})?)?$",
)  # fmt: skip
STRUCTURES = Parameter("structures", "", "s3://bucket/prefix of the structures to predict.", shape=f"^{_BUCKET}$")
PARTS = Parameter("parts", "4", "Pods that share the structures.", shape="^[1-9][0-9]{0,2}$")
RUN = Parameter(
    "run",
    "best",
    "Run of the store that predicts: its id, best, best:PROPERTY or latest.",
    shape="^[A-Za-z0-9._/:-]{1,200}$",
)
KEEP_BEST = Parameter("keep-best", "3", "Runs of each kind that stay, by score.", shape="^[0-9]{1,4}$")
OLDER_THAN = Parameter("older-than", "30d", "Age of what is removed: 12h, 30d, 8w.", shape="^[0-9]{1,5}[hdw]$")

RESOURCES = (
    GPUS, GPU_RESOURCE, CPU, MEMORY, RETRY_MEMORY, EPHEMERAL_STORAGE, QUEUE, PRIORITY, NODE_SELECTOR, TOLERATIONS,
    MAX_HOURS,
)  # fmt: skip
"""What the pods of a run get of the cluster; the first step completes it by what the installation says."""

REQUEST = (
    ALGORITHM, LEVEL, COMPETITION, ALL_PROPERTIES, PROPERTIES, PROPERTY, RESUME, EPOCHS, LR, BATCH_SIZE, PRESET,
    MAX_SAMPLES, SEED, DATA, SPLIT, DROP_TWINS, CUTOFF, PATIENCE, BALANCE, PRECISION, BACKBONE, FROM, FREEZE, NEW_HEADS,
    SET,
)  # fmt: skip
"""What a training request says; each is the option of ``phase2 train`` that has its name."""

TRAIN = (*REQUEST, IMAGE, RUN_NAME, STORE, NODES, *RESOURCES)


def _listed(parameter: Parameter) -> Parameter:
    """Return the parameter that takes several such values, between commas."""
    description = f"{parameter.description.rstrip('.')}; several between commas."
    if parameter.choices:
        return replace(parameter, description=description, is_list=True)
    item = parameter.shape.removeprefix("^").removesuffix("$")
    return replace(parameter, description=description, shape=f"^{item}(,{item})*$")


SET_LIST = replace(SET, description=f"{SET.description.rstrip('.')}; several values of each between commas.")
VARIED = (*(_listed(one) for one in (LEVEL, SEED, EPOCHS, LR, BATCH_SIZE, PRESET, MAX_SAMPLES, SPLIT)), SET_LIST)
"""What may differ between the runs of a sweep; its parameters take lists."""

SHARED = (ALGORITHM, ALL_PROPERTIES, PROPERTIES, PROPERTY, DATA)
"""What all runs of a sweep or an ensemble have in common."""

SWEEP = (ALGORITHM, ALL_PROPERTIES, PROPERTIES, PROPERTY, *VARIED, DATA, IMAGE, STORE, *RESOURCES)
ENSEMBLE = (
    ALGORITHM, ALL_PROPERTIES, PROPERTIES, PROPERTY, LEVEL, replace(VARIED[1], value="1,2,3,4"), EPOCHS, LR, BATCH_SIZE,
    PRESET, MAX_SAMPLES, SPLIT, SET_LIST, DATA, STRUCTURES, PARTS, IMAGE, STORE, *RESOURCES,
)  # fmt: skip
SEARCHED = (*(one for one in REQUEST if one is not RESUME), OVER, TRIALS, MINIMISE, PRUNER)
"""What defines a study: the request of all trials, and what is searched."""
TUNE = (*SEARCHED, TIMEOUT_HOURS, WORKERS, STUDY, IMAGE, STORE, *RESOURCES)
PREDICT = (STRUCTURES, RUN, PROPERTIES, PARTS, IMAGE, STORE, CPU, MEMORY)
PRUNE = (KEEP_BEST, OLDER_THAN, IMAGE, STORE)
PAGE = (IMAGE, STORE)

PARAMETERS = {
    "phase2-train": TRAIN,
    "phase2-sweep": SWEEP,
    "phase2-ensemble": ENSEMBLE,
    "phase2-tune": TUNE,
    "phase2-predict": PREDICT,
    "phase2-prune": PRUNE,
    "phase2-page": PAGE,
}
"""Parameters of each WorkflowTemplate."""


def tag(name: str, source: str = "workflow") -> str:
    """Return the tag that Argo replaces by the value of a parameter."""
    return f"{{{{{source}.parameters.{name}}}}}"
