"""What all pods of the workflows share: labels, security, volumes and the program's container."""

from hera.workflows import models

from phase2.cluster.manifests.pod import container_security, downward_api_variables
from phase2.cluster.plan import (
    CA_CONFIG_MAP,
    CA_FOLDER,
    CACHE_CLAIM,
    STORE_CONFIG_MAP,
    TERMINATION_LOG,
    WORK,
)
from phase2.cluster.request.installation import CONFIG_MAP
from phase2.cluster.request.resources import STORE_SECRET
from phase2.cluster.visibility import CACHE

from .parameters import IMAGE, Parameter, tag

NAMESPACE = "phase2"
INSTALLATION_FOLDER = "/etc/phase2/installation"
CACHE_MOUNT = models.VolumeMount(name="cache", mount_path=CACHE)

# Argo gives its own containers no securityContext: without this "restricted" refuses every pod.
EXECUTOR_PATCH = """\
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


def labels() -> dict[str, str]:
    """Return the labels of every object and pod."""
    parts = {"name": "phase2", "component": "training", "managed-by": "argo", "part-of": "phase2"}
    return {f"app.kubernetes.io/{key}": word for key, word in parts.items()}


def variable(name: str, content: str) -> models.EnvVar:
    """Return an environment variable with a value, which may hold a tag of Argo."""
    return models.EnvVar(name=name, value=content)


def options(parameters: tuple[Parameter, ...], source: str = "workflow") -> list[models.EnvVar]:
    """Return the variables that give options of ``phase2 train``; an empty one counts as not given."""
    return [variable(one.variable, tag(one.name, source)) for one in parameters]


def container(env: list[models.EnvVar]) -> models.Container:
    """Return the container that every step starts from: image, security, store, cache and variables."""
    own = [
        variable("PHASE2_WORKFLOW_NAME", "{{workflow.name}}"),
        variable("PHASE2_IMAGE_DIGEST", tag(IMAGE.name)),
        variable("PHASE2_CACHE_DIR", CACHE),
        variable("PHASE2_INSTALLATION", INSTALLATION_FOLDER),
        variable("PHASE2_TERMINATION_LOG", TERMINATION_LOG),
        variable("HOME", "/tmp"),
        *(models.EnvVar.model_validate(one) for one in downward_api_variables()),
        _threads(),
    ]
    return models.Container(
        image=tag(IMAGE.name),
        image_pull_policy="IfNotPresent",
        command=["phase2"],
        working_dir=WORK,
        termination_message_policy="FallbackToLogsOnError",
        security_context=models.SecurityContext.model_validate(container_security()),
        resources=models.ResourceRequirements(requests={"cpu": "250m", "memory": "512Mi"}, limits={"memory": "2Gi"}),
        env_from=[
            models.EnvFromSource(config_map_ref=models.ConfigMapEnvSource(name=STORE_CONFIG_MAP)),
            models.EnvFromSource(secret_ref=models.SecretEnvSource(name=STORE_SECRET)),
        ],
        env=[*env, *own],
        volume_mounts=_mounts(),
    )


def volumes() -> list[models.Volume]:
    """Return the volumes of the pods; the cache is shared by all runs, and mounted by the steps that need it."""
    claim = models.PersistentVolumeClaimVolumeSource(claim_name=CACHE_CLAIM)
    return [
        models.Volume(name="work", empty_dir=models.EmptyDirVolumeSource()),
        models.Volume(name="cache", persistent_volume_claim=claim),
        models.Volume(name="tmp", empty_dir=models.EmptyDirVolumeSource()),
        models.Volume(name="shm", empty_dir=models.EmptyDirVolumeSource(medium="Memory")),
        _optional_map("ca", CA_CONFIG_MAP),
        _optional_map("installation", CONFIG_MAP),
    ]


def _mounts() -> list[models.VolumeMount]:
    paths = {"work": WORK, "tmp": "/tmp", "shm": "/dev/shm"}
    read = {"ca": CA_FOLDER, "installation": INSTALLATION_FOLDER}
    mounts = [models.VolumeMount(name=name, mount_path=path) for name, path in paths.items()]
    return mounts + [models.VolumeMount(name=name, mount_path=path, read_only=True) for name, path in read.items()]


def _optional_map(volume: str, name: str) -> models.Volume:
    return models.Volume(name=volume, config_map=models.ConfigMapVolumeSource(name=name, optional=True))


def _threads() -> models.EnvVar:
    # As many threads as cores were asked for, on every node: every attempt computes the same sums.
    cores = models.ResourceFieldSelector(container_name="main", resource="requests.cpu")
    return models.EnvVar(name="OMP_NUM_THREADS", value_from=models.EnvVarSource(resource_field_ref=cores))
