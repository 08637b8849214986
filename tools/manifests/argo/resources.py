"""What a pod gets of the cluster: patches of its specification, as text that Argo fills parameters into.

A patch is text, since a parameter may be a whole mapping (``node-selector``) or a quantity, which the typed fields of a
template cannot hold.
"""

from phase2.cluster.request.image import Image
from phase2.cluster.request.resources import ClusterRequest

LIMITS = "phase2-limits"
"""ConfigMap that says how many pods train at once."""

_GRACE_SECONDS = ClusterRequest(image=Image.parse("phase2:latest")).grace_seconds

# The quotes and signs are those that JSON and YAML leave as they are.
_ATTEMPT_MEMORY = (
    "{{=retries == '0' || workflow.parameters['retry-memory'] == '' ? workflow.parameters.memory"
    " : workflow.parameters['retry-memory']}}"
)

TRAINING_POD = f"""\
terminationGracePeriodSeconds: {_GRACE_SECONDS}
nodeSelector: {{{{workflow.parameters.node-selector}}}}
tolerations: {{{{workflow.parameters.tolerations}}}}
priorityClassName: "{{{{workflow.parameters.priority}}}}"
containers:
- name: main
  resources:
    requests: {{cpu: "{{{{workflow.parameters.cpu}}}}", memory: "{_ATTEMPT_MEMORY}"}}
    limits: {{memory: "{_ATTEMPT_MEMORY}", nvidia.com/gpu: "{{{{workflow.parameters.gpus}}}}"}}
"""
"""Resources and placement of a pod that trains."""

SMALL_POD = """\
containers:
- name: main
  resources:
    requests: {cpu: "{{workflow.parameters.cpu}}", memory: "{{workflow.parameters.memory}}"}
    limits: {memory: "{{workflow.parameters.memory}}"}
"""
"""Resources of a pod that needs the cores and the memory of a training, and no GPU."""
