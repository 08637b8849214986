"""Models of hera as manifests, their keys in the order in which people read them."""

from typing import Any

from pydantic import BaseModel

from tools.manifests.yaml_text import Manifest

# A model has its fields in alphabetical order, whatever order they were given in. What is not named here comes last.
_ORDER = """
apiVersion kind generateName name namespace labels annotations
value description enum globalName valueFrom
template withParam continueOn failed error
schedules timezone concurrencyPolicy startingDeadlineSeconds successfulJobsHistoryLimit failedJobsHistoryLimit
workflowSpec workflowTemplateRef
parallelism inputs steps metadata spec synchronization retryStrategy limit retryPolicy expression backoff
duration factor cap
entrypoint onExit serviceAccountName automountServiceAccountToken executor artifactRepositoryRef archiveLogs
activeDeadlineSeconds ttlStrategy secondsAfterSuccess secondsAfterFailure podGC podDisruptionBudget podMetadata
image imagePullPolicy command args workingDir terminationMessagePolicy
securityContext runAsNonRoot runAsUser runAsGroup fsGroup fsGroupChangePolicy seccompProfile
allowPrivilegeEscalation readOnlyRootFilesystem capabilities
podSpecPatch volumes arguments resources requests limits envFrom env volumeMounts mountPath readOnly
emptyDir persistentVolumeClaim configMap key optional path archive s3
outputs parameters artifacts container containerName resource templateDefaults templates
"""
_RANK = {key: rank for rank, key in enumerate(_ORDER.split())}


def to_manifest(model: BaseModel) -> Manifest:
    """Return the object that the API server gets: fields that are given, by their names in Kubernetes."""
    manifest: Manifest = _ordered(model.model_dump(mode="json", by_alias=True, exclude_none=True))
    return manifest


def _ordered(content: Any) -> Any:
    if isinstance(content, list):
        return [_ordered(item) for item in content]
    if isinstance(content, dict):
        # Sorting keeps the order of keys of equal rank: labels and quantities stay as they were given.
        return {key: _ordered(content[key]) for key in sorted(content, key=lambda key: _RANK.get(key, len(_RANK)))}
    return content
