"""JSON schema of each value of the chart; names and closed lists are those of the code."""

from typing import Any, get_args

from phase2.cluster.manifests.installed import communication_names
from phase2.cluster.request.defaults import ALL, FIELDS
from phase2.cluster.request.names import EFFECTS
from phase2.cluster.request.prices import CORE_HOUR, CURRENCY, GPU_HOUR
from phase2.cluster.request.resources import MAX_GPUS, MAX_NODES
from phase2.config.levels import ALGORITHMS, LEVELS, MODES
from tools.manifests.argo.parameters import (
    CPU,
    EPHEMERAL_STORAGE,
    GPU_RESOURCE,
    MEMORY,
    OLDER_THAN,
    PRIORITY,
    QUEUE,
    Parameter,
)
from tools.manifests.storage.policies import Server

Rule = dict[str, Any]

_LABEL_VALUE = "^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$"
_LABEL_KEY = "^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$"
_LABEL_NAME = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_SUBDOMAIN = "[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?"
_CIDR = "^([0-9]{1,3}([.][0-9]{1,3}){3}|[0-9a-fA-F:]{2,39})/[0-9]{1,3}$"
_REPOSITORY = "^[a-z0-9]([a-z0-9._:/-]{0,253}[a-z0-9])?$"
_QUANTITY = "^[0-9]+([.][0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi)?$"
_FIELD = "[0-9*,/A-Za-z-]+"


def text(pattern: str, *, most: int = 1024) -> Rule:
    """Return the rule of a string that matches a pattern."""
    return {"type": "string", "pattern": pattern, "maxLength": most}


def choice(*words: str) -> Rule:
    """Return the rule of a closed list; without a type, so that a refusal names all choices."""
    return {"enum": list(words)}


def number(least: int, most: int) -> Rule:
    """Return the rule of a whole number."""
    return {"type": "integer", "minimum": least, "maximum": most}


def listed(item: Rule, *, least: int = 0) -> Rule:
    """Return the rule of a list without repetition."""
    return {"type": "array", "items": item, "uniqueItems": True, "minItems": least}


def mapped(item: Rule) -> Rule:
    """Return the rule of a mapping of free names, as labels and resources are, to values of one rule."""
    return {"type": "object", "propertyNames": {"pattern": _LABEL_KEY}, "additionalProperties": item}


def fields(required: tuple[str, ...] = (), **properties: Rule) -> Rule:
    """Return the rule of an object of these fields and no other."""
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def shaped(parameter: Parameter) -> Rule:
    """Return the rule of the values that a parameter of the workflows accepts."""
    return text(parameter.shape)


def or_number(rule: Rule, least: int = 0) -> Rule:
    """Return the rule of a quantity: a number of at least this, or a text that matches."""
    return {**rule, "type": ["string", "number"], "minimum": least}


def required(parameter: Parameter) -> Rule:
    """Return the rule of the values that an optional parameter of the workflows accepts, but for the empty one."""
    return text(parameter.shape.removesuffix("?$") + "$")


_SWITCH: Rule = {"type": "boolean"}
_DECISION = choice("auto", "always", "never")
_LABELS = mapped(text(_LABEL_VALUE))
_PORT = number(1, 65535)
_SIZE = or_number(text(_QUANTITY))
_OPTIONAL_SIZE = or_number(text(f"^({_QUANTITY.strip('^$')})?$"))
_CORES = or_number(required(CPU))
_MEMORY = or_number(required(MEMORY), 64_000_000)  # bytes
_COMMUNICATION = or_number(text("^[A-Za-z0-9_.,:=^/-]{1,256}$"))
_AS_IN_A_POD: Rule = {"type": "object", "additionalProperties": True}
_AFFINITY: Rule = {
    "type": "object",
    "properties": dict.fromkeys(("nodeAffinity", "podAffinity", "podAntiAffinity"), _AS_IN_A_POD),
    "additionalProperties": False,
}
_SCHEDULE = text(f"^(@(hourly|daily|midnight|weekly|monthly|yearly|annually)|{_FIELD}( {_FIELD}){{4}})$")
_PERSON = text("^[^\\s]+$", most=256)
_CEL_NAME = text("^[^\\s'\\\\]+$", most=256)  # of a user or a group, as a literal of CEL
_TOLERATION = fields(
    key=text(_LABEL_KEY),
    operator=choice("Exists", "Equal"),
    value=text(_LABEL_VALUE),
    effect=choice(*EFFECTS),
    tolerationSeconds=number(0, 1 << 31),
)

_PRICE: Rule = {"type": "number", "minimum": 0}
_PRICES = {
    **fields(
        (),
        **{
            CURRENCY: text("^[A-Za-z]{1,16}$"),
            GPU_HOUR: {**mapped(_PRICE), "propertyNames": {"pattern": required(GPU_RESOURCE)["pattern"]}},
            CORE_HOUR: _PRICE,
        },
    ),
    "dependencies": {GPU_HOUR: [CURRENCY], CORE_HOUR: [CURRENCY]},
}

_RUN_FIELDS: dict[str, Rule] = {
    "gpus": number(0, MAX_GPUS),
    "maxNodes": number(1, MAX_NODES),
    "maxGpus": number(0, MAX_NODES * MAX_GPUS),
    "gpuResource": shaped(GPU_RESOURCE),
    "cpu": _CORES,
    "memory": _MEMORY,
    "ephemeralStorage": or_number(required(EPHEMERAL_STORAGE)),
    "sharedMemory": _MEMORY,
    "nodeSelector": _LABELS,
    "tolerations": listed(_TOLERATION),
    "affinity": _AS_IN_A_POD,
    "topologySpreadConstraints": listed(_AS_IN_A_POD),
    "queue": shaped(QUEUE),
    "priority": shaped(PRIORITY),
    "runtimeClass": text(f"^({_SUBDOMAIN})?$"),
}
_RUN_ROW = fields((), **{mode: fields((), **{name: _RUN_FIELDS[name] for name in FIELDS}) for mode in (ALL, *MODES)})
_RUN_DEFAULTS = fields((), **dict.fromkeys((ALL, *ALGORITHMS), _RUN_ROW))

RULES: dict[str, Rule] = {
    "image.registry": text("^([a-z0-9][a-z0-9.-]{0,252}(:[0-9]{1,5})?(/[a-z0-9._/-]{1,200})?)?$"),
    "image.repository": text(_REPOSITORY),
    "image.tag": text("^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$"),
    "image.digest": text("^(sha256:[0-9a-f]{64})?$"),
    "image.pullPolicy": choice("IfNotPresent", "Always", "Never"),
    "image.pullSecrets": listed(text(f"^{_SUBDOMAIN}$")),
    "store.url": text("^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._/-]*)?$"),
    "store.region": text("^[a-z0-9-]{1,63}$"),
    # No '@': an address with keys in it would be in a ConfigMap.
    "store.endpoint": text("^(https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?)?/?$"),
    "store.pathStyle": _DECISION,
    "store.policies": choice("none", *get_args(Server)),
    "store.existingSecret": text(f"^({_SUBDOMAIN})?$"),
    "retention.existingSecret": text(f"^({_SUBDOMAIN})?$"),
    "store.accessKeyId": text("^[^\\s]*$"),
    "store.secretAccessKey": text("^[^\\s]*$"),
    "store.caBundle": text("^(-----BEGIN CERTIFICATE-----[\\s\\S]*-----END CERTIFICATE-----\\s*)?$", most=1 << 19),
    "runs.defaults": _RUN_DEFAULTS,
    "runs.communication": fields((), **dict.fromkeys(communication_names(), _COMMUNICATION)),
    "runs.maxCpuHours": {"type": "number", "minimum": 0},
    "runs.prices": _PRICES,
    "serviceAccount.create": _SWITCH,
    "serviceAccount.podIdentity": _SWITCH,
    "serviceAccount.annotations": mapped({"type": "string"}),
    "submitters.create": _SWITCH,
    "submitters.groups": listed(_PERSON),
    "submitters.users": listed(_PERSON),
    "maintainers.create": _SWITCH,
    "maintainers.groups": listed(_CEL_NAME),
    "maintainers.users": listed(_CEL_NAME),
    "dataCache.enabled": _SWITCH,
    "dataCache.create": _SWITCH,
    "dataCache.keep": _SWITCH,
    "dataCache.size": _SIZE,
    "dataCache.accessModes": listed(choice("ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod"), least=1),
    "dataCache.storageClass": text(f"^(-|{_SUBDOMAIN})?$"),
    "network.enabled": _SWITCH,
    "network.wholeNamespace": _SWITCH,
    "network.storePorts": listed(_PORT),
    "network.storeCIDRs": listed(text(_CIDR), least=1),
    "network.nameServerNamespace": text(f"^{_LABEL_NAME}$"),
    "network.nameServerLabels": _LABELS,
    "network.nameServerPorts": listed(_PORT, least=1),
    "network.apiServerPorts": listed(_PORT, least=1),
    "network.storeNamespace": text(f"^({_LABEL_NAME})?$"),
    "network.storeLabels": _LABELS,
    "network.storePort": _PORT,
    "quota.enabled": _SWITCH,
    "quota.hard": mapped(_SIZE),
    "limitRange.enabled": _SWITCH,
    "limitRange.cpu": _CORES,
    "limitRange.memory": _MEMORY,
    "priorityClass.create": _SWITCH,
    "priorityClass.value": number(-1_000_000_000, 999_999_900),
    "disruption.protectHours": {**or_number(text("^[0-9]{1,2}([.][0-9]{1,9})?$")), "maximum": 168},
    "admission.create": _SWITCH,
    "admission.images": listed(text(_REPOSITORY)),
    "admission.byDigest": _DECISION,
    "admission.exemptGroups": listed(text("^[^\\s'\\\\]+$", most=256)),  # they become literals of CEL
    "admission.claims": listed(text(f"^{_SUBDOMAIN}$")),
    "admission.gpus": listed(required(GPU_RESOURCE)),
    "admission.controllers": listed(_CEL_NAME),
    "admission.mutatingVersion": choice("", "v1", "v1beta1"),
    "nameOverride": text(f"^({_LABEL_NAME})?$"),
    "clusterSuffix": text("^(-[a-z0-9-]{0,30}[a-z0-9])?$"),
    "argo.enabled": _SWITCH,
    "argo.parallel": number(1, 10_000),
    "argo.steps.nodeSelector": _LABELS,
    "argo.steps.tolerations": listed(_TOLERATION),
    "argo.steps.affinity": _AFFINITY,
    "argo.controllers": listed(text(f"^system:serviceaccount:{_LABEL_NAME}:{_SUBDOMAIN}$"), least=1),
    "kueue.queue": text(f"^({_LABEL_NAME})?$"),
    "kueue.clusterQueue": text(f"^({_SUBDOMAIN})?$"),
    "nightly.enabled": _SWITCH,
    "nightly.schedule": _SCHEDULE,
    "nightly.algorithm": choice(*ALGORITHMS),
    "nightly.level": choice(*LEVELS),
    "nightly.hours": number(1, 24 * 7),
    "retention.enabled": _SWITCH,
    "retention.schedule": _SCHEDULE,
    "retention.keepBest": number(0, 9999),
    "retention.olderThan": shaped(OLDER_THAN),
    "page.enabled": _SWITCH,
    "page.schedule": _SCHEDULE,
    "page.existingSecret": text(f"^({_SUBDOMAIN})?$"),
    "observer.enabled": _SWITCH,
    "observer.period": number(1, 600),
    "observer.checkStore": _SWITCH,
    "observer.scrapedFrom": text(f"^({_LABEL_NAME})?$"),
    "observer.cpu": _CORES,
    "observer.memory": _MEMORY,
    "monitoring.enabled": _SWITCH,
    "monitoring.stallMinutes": or_number(text("^[0-9]{1,5}([.][0-9]{1,9})?$")),
    "monitoring.logFormat": choice("text", "json"),
    "monitoring.namespace": text(f"^{_LABEL_NAME}$"),
    "monitoring.podLabels": _LABELS,
    "monitoring.podMonitor.create": _SWITCH,
    "monitoring.podMonitor.labels": _LABELS,
    "monitoring.podMonitor.interval": text("^[1-9][0-9]{0,3}(s|m)$"),
    "monitoring.rules.create": _SWITCH,
    "monitoring.rules.labels": _LABELS,
    "monitoring.dashboard.create": _SWITCH,
    "monitoring.dashboard.labels": _LABELS,
    "tracking.trackers": listed(choice("mlflow", "wandb", "tensorboard")),
    "tracking.namespace": text(f"^({_LABEL_NAME})?$"),
    "tracking.podLabels": _LABELS,
    "tracking.port": _PORT,
    "test.algorithm": choice(*ALGORITHMS),
    "test.maxSamples": number(16, 1_000_000),
    "test.epochs": number(1, 100),
    "test.deadlineSeconds": number(60, 86_400),
    "pods.cpu": _CORES,
    "pods.memory": _MEMORY,
    "pods.gpus": number(0, MAX_GPUS),
    "pods.gpuResource": required(GPU_RESOURCE),
    "pods.nodeSelector": _LABELS,
    "pods.tolerations": listed(_TOLERATION),
    "pods.affinity": _AFFINITY,
    "pods.runtimeClass": text(f"^({_SUBDOMAIN})?$"),
    "pods.topologySpreadConstraints": listed(_AS_IN_A_POD),
    "pods.ephemeralStorage": _OPTIONAL_SIZE,
    "pods.workSizeLimit": _OPTIONAL_SIZE,
    "minio.enabled": _SWITCH,
    "minio.image": text("^[a-z0-9][A-Za-z0-9._:/-]{0,250}(@sha256:[0-9a-f]{64})?$"),
    "minio.existingSecret": text(f"^({_SUBDOMAIN})?$"),
    "minio.accessKeyId": text("^[A-Za-z0-9-]{3,64}$"),
    "minio.secretAccessKey": text("^([^\\s]{8,128})?$"),
    "minio.size": _OPTIONAL_SIZE,
    "commonLabels": _LABELS,
    "commonAnnotations": mapped({"type": "string"}),
}
