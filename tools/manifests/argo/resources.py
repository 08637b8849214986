"""What a pod gets of the cluster: patches of its specification, which the first step of a workflow finds.

A patch is text, since it may hold a whole mapping or a quantity, which the typed fields of a template cannot hold.
"""

POD = ("pod", "retry-pod", "queue")
"""What the first step finds for the pod of a training."""

GROUP_POD = ("pod", "retry-pod", "other-pod", "other-retry-pod", "other-nodes")
"""What it finds for the pods of a training on several nodes, the first of which is named."""

ATTEMPT_POD = "{{=retries == '0' ? inputs.parameters.pod : inputs.parameters['retry-pod']}}"
"""Resources and placement of a pod that trains: of the first attempt, or of a further one."""

STEP_POD = "{{inputs.parameters.pod}}"
"""Resources and placement of another pod."""

FINISH_SECONDS = 900
"""Longest time of an exit handler, whether it starts or not: a workflow is not held by it."""

JOIN_MINUTES = "60"
"""Longest time that pods wait for one another, since Argo ends none of them where another has failed for good."""
