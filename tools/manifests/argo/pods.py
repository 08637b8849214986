"""What all pods of the workflows share: identity, security, volumes, environment, retries."""

from phase2.cluster.manifests.pod import container_security, place_variables, pod_security
from phase2.cluster.plan import (
    CA_CONFIG_MAP,
    CA_FOLDER,
    CACHE,
    CACHE_CLAIM,
    SERVICE_ACCOUNT,
    STORE_CONFIG_MAP,
    STORE_SECRET,
    TERMINATION_LOG,
    WORK,
)
from phase2.cluster.request.image import Image
from phase2.cluster.request.resources import DAY, ClusterRequest

from .parameters import Manifest, Parameter

NAMESPACE = "phase2"
EXECUTOR = "phase2-executor"
ARTIFACTS = {"configMap": "phase2-artifacts", "key": "phase2"}
LIMITS = "phase2-limits"

GRACE = ClusterRequest(image=Image.parse("phase2:latest")).grace_seconds

# Out of memory once: a run that does not fit does not fit a third time either.
RETRY_EXPRESSION = (
    '(lastRetry.status == "Error" || lastRetry.exitCode in ["-1", "75", "143"]'
    ' || (lastRetry.exitCode == "137" && (retries == "0" || !(lastRetry.message matches "OOMKilled"))))'
    ' && !(lastRetry.message matches "specified deadline")'
)

# Argo gives its own containers no securityContext: without this "restricted" refuses every pod.
_EXECUTOR_PATCH = """\
initContainers:
- name: init
  resources: {requests: {cpu: 10m, memory: 64Mi}, limits: {memory: 256Mi}}
  securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
containers:
- name: wait
  resources: {requests: {cpu: 10m, memory: 64Mi}, limits: {memory: 256Mi}}
  securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
  env: [{name: ARGO_PROGRESS_PATCH_TICK_DURATION, value: 10s}]
"""

# The quotes and signs are those that JSON and YAML leave as they are.
_ATTEMPT_MEMORY = (
    "{{=retries == '0' || workflow.parameters['retry-memory'] == '' ? workflow.parameters.memory"
    " : workflow.parameters['retry-memory']}}"
)

_TRAIN_PATCH = f"""\
terminationGracePeriodSeconds: {GRACE}
nodeSelector: {{{{workflow.parameters.node-selector}}}}
tolerations: {{{{workflow.parameters.tolerations}}}}
priorityClassName: "{{{{workflow.parameters.priority}}}}"
containers:
- name: main
  resources:
    requests: {{cpu: "{{{{workflow.parameters.cpu}}}}", memory: "{_ATTEMPT_MEMORY}"}}
    limits: {{memory: "{_ATTEMPT_MEMORY}", nvidia.com/gpu: "{{{{workflow.parameters.gpus}}}}"}}
"""

PREDICT_PATCH = """\
containers:
- name: main
  resources:
    requests: {cpu: "{{workflow.parameters.cpu}}", memory: "{{workflow.parameters.memory}}"}
    limits: {memory: "{{workflow.parameters.memory}}"}
"""


def value(name: str, source: str = "workflow") -> str:
    """The tag that a parameter is filled into."""
    return f"{{{{{source}.parameters.{name}}}}}"


def variable(name: str, content: str) -> Manifest:
    """An environment variable."""
    return {"name": name, "value": content}


def filled(parameters: tuple[Parameter, ...], source: str = "workflow") -> list[Manifest]:
    """The variables of request options: an empty one counts as not given."""
    return [variable(f"PHASE2_{p.name.upper().replace('-', '_')}", value(p.name, source)) for p in parameters]


def workflow_template(
    name: str, summary: str, parameters: tuple[Parameter, ...], env: list[Manifest], templates: list[Manifest]
) -> Manifest:
    """A WorkflowTemplate whose pods pass the Pod Security level ``restricted`` and hold no token."""
    spec: Manifest = {
        "entrypoint": "main",
        "onExit": "finish",
        "serviceAccountName": SERVICE_ACCOUNT,
        "automountServiceAccountToken": False,
        "executor": {"serviceAccountName": EXECUTOR},
        "artifactRepositoryRef": ARTIFACTS,
        "archiveLogs": True,
        "activeDeadlineSeconds": 7 * DAY,
        "ttlStrategy": {"secondsAfterSuccess": 7 * DAY, "secondsAfterFailure": 14 * DAY},
        "podGC": {"strategy": "OnWorkflowSuccess"},
        "podDisruptionBudget": {"minAvailable": 9999},
        "podMetadata": {"labels": labels()},
        "securityContext": pod_security(),
        "podSpecPatch": _EXECUTOR_PATCH,
        "volumes": [
            {"name": "work", "emptyDir": {}},
            {"name": "cache", "persistentVolumeClaim": {"claimName": CACHE_CLAIM}},
            {"name": "tmp", "emptyDir": {}},
            {"name": "shm", "emptyDir": {"medium": "Memory"}},
            {"name": "ca", "configMap": {"name": CA_CONFIG_MAP, "optional": True}},
        ],
        "arguments": {"parameters": [one.manifest() for one in parameters]},
        "templateDefaults": {"container": _container(env)},
        "templates": [*templates, finish()],
    }
    metadata = {
        "name": name,
        "namespace": NAMESPACE,
        "labels": labels(),
        "annotations": {"workflows.argoproj.io/description": summary},
    }
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowTemplate", "metadata": metadata, "spec": spec}


def labels() -> Manifest:
    """The labels of everything here."""
    parts = {"name": "phase2", "component": "training", "managed-by": "argo", "part-of": "phase2"}
    return {f"app.kubernetes.io/{key}": word for key, word in parts.items()}


def step(name: str, *args: str, **fields: object) -> Manifest:
    """A template that runs ``phase2`` with these words."""
    container: Manifest = {"args": list(args)}
    if env := fields.pop("env", None):
        container["env"] = env
    return {"name": name, **fields, "container": container}


def training(name: str, env: list[Manifest], **fields: object) -> Manifest:
    """The template that trains: it is retried, waits for its turn, and has the resources that were asked for."""
    return step(
        name, "train", "--store", value("store"), "--report-to", WORK,
        env=env,
        **fields,
        metadata={
            "labels": {
                "kueue.x-k8s.io/queue-name": value("queue"),
                "phase2.dev/algorithm": value("algorithm"),
            }
        },
        synchronization={"semaphores": [{"configMapKeyRef": {"name": LIMITS, "key": "gpu"}}]},
        retryStrategy=retry("6"),
        podSpecPatch=_TRAIN_PATCH,
        outputs={"parameters": [output("row", "row.json")]},
    )  # fmt: skip


def retry(limit: str) -> Manifest:
    """Another attempt for what may pass by itself; a request, data or model that is bad is as bad the next time."""
    # No maxDuration: it counts from the first start of the step.
    return {
        "limit": limit,
        "retryPolicy": "Always",
        "expression": RETRY_EXPRESSION,
        "backoff": {"duration": "10s", "factor": "2", "cap": "5m"},
    }


def output(name: str, file: str) -> Manifest:
    """An output parameter: what the container wrote into a file."""
    return {"name": name, "valueFrom": {"path": f"{WORK}/{file}"}}


def artifact(name: str, file: str, key: str) -> Manifest:
    """A file that is kept in the bucket as it is, by key alone."""
    return {"name": name, "path": f"{WORK}/{file}", "archive": {"none": {}}, "s3": {"key": key}}


def call(name: str, template: str, parameters: Manifest | None = None, **fields: object) -> list[Manifest]:
    """A step of a ``steps`` template, alone in its group."""
    made: Manifest = {"name": name, "template": template, **fields}
    if parameters:
        made["arguments"] = {"parameters": [{"name": key, "value": word} for key, word in parameters.items()]}
    return [made]


def result(step_name: str, name: str) -> str:
    """The tag of another step's output."""
    return f"{{{{steps.{step_name}.outputs.parameters.{name}}}}}"


def handed_on(step_name: str, *names: str) -> Manifest:
    """Outputs of a step as those of the whole workflow: without a global name only the node has them."""
    return {
        "parameters": [
            {"name": name, "globalName": name, "valueFrom": {"parameter": result(step_name, name)}} for name in names
        ]
    }


def finish() -> Manifest:
    """The exit handler: it keeps in the store how the workflow ended, also where no run says so."""
    env = [
        variable("PHASE2_WORKFLOW_STATUS", "{{workflow.status}}"),
        variable("PHASE2_WORKFLOW_FAILURES", "{{workflow.failures}}"),
    ]
    return step("finish", "workflow", "finish", "--store", value("store"), env=env, retryStrategy=retry("3"))


def _container(env: list[Manifest]) -> Manifest:
    return {
        "image": value("image"),
        "imagePullPolicy": "IfNotPresent",
        "command": ["phase2"],
        "workingDir": WORK,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": container_security(),
        "resources": {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"memory": "2Gi"}},
        "envFrom": [{"configMapRef": {"name": STORE_CONFIG_MAP}}, {"secretRef": {"name": STORE_SECRET}}],
        "env": [
            *env,
            variable("PHASE2_WORKFLOW_NAME", "{{workflow.name}}"),
            variable("PHASE2_IMAGE_DIGEST", value("image")),
            variable("PHASE2_CACHE_DIR", CACHE),
            variable("PHASE2_TERMINATION_LOG", TERMINATION_LOG),
            variable("HOME", "/tmp"),
            *place_variables(),
            # As many threads as cores were asked for, on every node: every attempt computes the same sums.
            {
                "name": "OMP_NUM_THREADS",
                "valueFrom": {"resourceFieldRef": {"containerName": "main", "resource": "requests.cpu"}},
            },
        ],
        "volumeMounts": [
            {"name": "work", "mountPath": WORK},
            {"name": "cache", "mountPath": CACHE},
            {"name": "tmp", "mountPath": "/tmp"},
            {"name": "shm", "mountPath": "/dev/shm"},
            {"name": "ca", "mountPath": CA_FOLDER, "readOnly": True},
        ],
    }
