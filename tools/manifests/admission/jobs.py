"""The policy of Jobs: each is one that phase2 makes, field by field, with an image that is approved."""

from phase2.cluster.labels import (
    COMMAND_ANNOTATION,
    COMPONENT_LABEL,
    GROUP,
    GROUP_LABEL,
    LEVEL_LABEL,
    NAME_LABEL,
    OPTIONS_ANNOTATION,
    OWNER_ANNOTATION,
    PLAN_ANNOTATION,
    REQUEST_ANNOTATION,
    RUN_LABEL,
)
from phase2.cluster.manifests.group import SERVICE
from phase2.cluster.manifests.protection import PROTECTED, PROTECTED_LABEL
from phase2.cluster.manifests.run_object import QUEUE_LABEL
from phase2.cluster.plan import CACHE_CLAIM, SERVICE_ACCOUNT
from phase2.cluster.request.names import JOB_PREFIX
from phase2.cluster.request.resources import MAX_NODES, STORE_SECRET
from phase2.cluster.run_state import SWEEP
from phase2.cluster.transfer.job import COMPONENT
from phase2.config.levels import ALGORITHMS, MODES
from phase2.config.settings import GPUS_VARIABLE
from phase2.machine.rank import ADDRESS_VARIABLE, NODES_VARIABLE
from tools.manifests.cel import cel_literal
from tools.manifests.yaml_text import Manifest

from . import arguments, pods, samples
from .changes import changes
from .comparison import equal, joined, must, only, only_or_common, text_in, whole
from .people import CRON, READS_SECRETS, is_one_of, no_controller, no_kubernetes
from .policies import refusal, resource_rule, validating_binding, validating_policy

NAME = "phase2-jobs"

_OBJECT = ("name", "namespace", "labels", "annotations", "uid", "creationTimestamp", "generation", "managedFields")
_CONTROLLER_LABELS = (
    "controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name",
)  # fmt: skip
_POD_ANNOTATIONS = (COMMAND_ANNOTATION, REQUEST_ANNOTATION, OPTIONS_ANNOTATION)
_ANNOTATIONS = (
    *_POD_ANNOTATIONS,
    PLAN_ANNOTATION,
    OWNER_ANNOTATION,
    "kubectl.kubernetes.io/last-applied-configuration",
)
_MANAGED = {"app.kubernetes.io/managed-by": "phase2", "app.kubernetes.io/part-of": "phase2"}
_SPEC = (
    "completions", "parallelism", "backoffLimit", "podReplacementPolicy", "podFailurePolicy", "template", "selector",
    "ttlSecondsAfterFinished", "activeDeadlineSeconds", "completionMode", "successPolicy", "suspend",
    "manualSelector",
)  # fmt: skip
_TAG_AND_DIGEST = "^(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$"
_LONG = (1 << 31) - 1
_LIMITS = "variables.container.?resources.?limits.orValue({})"
_RETRIES = 1000


def policy() -> Manifest:
    """Return the policy."""
    return validating_policy(
        NAME,
        [resource_rule("batch", ["jobs"], ("CREATE", "UPDATE"))],
        conditions={**no_controller(), **no_kubernetes(but=CRON)},
        variables=_settings() | _who() | _labels() | _images() | _differences(),
        validations=_validations(),
    )


def manifests() -> list[Manifest]:
    """Return the policy and its binding."""
    return [policy(), validating_binding(NAME)]


def _settings() -> dict[str, str]:
    """Return the variables that an installation sets, the first two by their places."""
    return {
        "approved": "[]",
        "byDigest": "true",
        "secrets": cel_literal([STORE_SECRET]),
        "claims": cel_literal([CACHE_CLAIM]),
        "gpus": "[]",
        "runtimeClasses": "[]",
        "commonLabels": "{}",
        "commonAnnotations": "{}",
    }


def _who() -> dict[str, str]:
    of_cron_job = "object.metadata.?ownerReferences.orValue([]).exists(o, o.kind == 'CronJob')"
    return {
        "algorithms": cel_literal(list(ALGORITHMS)),
        "modes": cel_literal([*MODES, SWEEP]),
        "created": "request.operation == 'CREATE'",
        "administrator": READS_SECRETS,
        # A CronJob is the administrator's: all Jobs of one have the same labels, and no run's id.
        "scheduled": f"{is_one_of(CRON)} || variables.administrator && {of_cron_job}",
        "people": f"!variables.administrator && !({is_one_of(CRON)})",
    }


def _labels() -> dict[str, str]:
    ours = cel_literal([NAME_LABEL, COMPONENT_LABEL, "app.kubernetes.io/managed-by"])
    of_run = "['phase2.dev/run-id', 'phase2.dev/algorithm', 'phase2.dev/mode']"
    return {
        "labels": "object.metadata.?labels.orValue({})",
        "transfer": f"variables.labels[?'{COMPONENT_LABEL}'].orValue('') == '{COMPONENT}'",
        "unmanaged": f"{ours}.filter(name, !(name in variables.labels))",
        "missing": "variables.unmanaged"
        f" + (variables.transfer ? [] : {of_run}.filter(name, !(name in variables.labels)))",
        "algorithm": "variables.labels[?'phase2.dev/algorithm'].orValue('')",
        "mode": "variables.labels[?'phase2.dev/mode'].orValue('')",
        "level": f"variables.labels[?'{LEVEL_LABEL}'].orValue('')",
    }


def _images() -> dict[str, str]:
    return {
        "images": "object.spec.template.spec.containers.map(c, c.image)"
        " + object.spec.template.spec.?initContainers.orValue([]).map(c, c.image)",
        # Of an approved name, only tag and digest follow: phase2:5000/other would be an image of another registry.
        "foreign": "variables.images.filter(image, !variables.approved.exists(name, image.startsWith(name)"
        f" && image.substring(size(name)).matches('{_TAG_AND_DIGEST}')))",
        "undigested": "variables.images.filter(image, !image.contains('@sha256:'))",
    }


def _differences() -> dict[str, str]:
    # Without types, a map of fields can be compared with a closed list.
    return {
        "job": "dyn(object)",
        "template": "variables.job.spec.template",
        "pod": "variables.template.spec",
        "container": "variables.pod.containers[0]",
        "podLabels": "variables.template.metadata.?labels.orValue({})",
        "together": f"variables.podLabels[?'{GROUP_LABEL}'].orValue('') == '{GROUP}'",
        "training": joined(_training()),
        "handingOut": joined(_transfer()),
        "differences": "variables.transfer ? variables.handingOut : variables.training",
        "changes": changes(),
    }


def _training() -> list[str]:
    job = samples.training()
    labels, mine = job["metadata"]["labels"], "variables.labels"
    run_id = f"{mine}[?'{RUN_LABEL}'].orValue('')"
    # phase2.cluster.request.names.job_name: an id that is no name is shortened, with a digest.
    name = (
        f"{run_id}.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && size({run_id}) <= {63 - len(JOB_PREFIX)}"
        f" ? object.metadata.name == '{JOB_PREFIX}' + {run_id}"
        f" : object.metadata.name.matches('^{JOB_PREFIX}.*-[0-9a-f]{{8}}$')"
    )
    variables = pods.value_conditions(
        samples.container_of(job),
        {
            "PHASE2_RUN_ID": f"e.value == {run_id}",
            "PHASE2_IMAGE_DIGEST": "variables.container.image.endsWith('@' + e.value)",
            "PHASE2_STORE": pods.text_shape(arguments.STORE),
            "OMP_NUM_THREADS": pods.text_shape("[0-9]{1,4}"),
            GPUS_VARIABLE: f"{_LIMITS}.exists(key, {pods.is_gpu('key')} && string({_LIMITS}[key]) == e.value)",
            ADDRESS_VARIABLE: f"e.value == object.metadata.name + '-0.{SERVICE}'",
            NODES_VARIABLE: "e.value == string(variables.job.spec.completions)",
        },
    )
    return [
        *_metadata(labels, extra=(LEVEL_LABEL,), annotations=_ANNOTATIONS),
        must(f"({name})", "metadata.name"),
        *_template(labels, _POD_ANNOTATIONS),
        *_spec(job, exact=("podReplacementPolicy", "podFailurePolicy")),
        *_pods(job),
        whole("variables.job.spec", "backoffLimit", 0, _RETRIES * MAX_NODES, "spec."),
        must(f"variables.job.spec.backoffLimit <= {_RETRIES} * variables.job.spec.completions", "spec.backoffLimit"),
        whole("variables.job.spec", "ttlSecondsAfterFinished", 0, _LONG, "spec."),
        # Decision 028: without its probe, the label would protect a pod from evictions for ever.
        must(
            f"(!('{PROTECTED_LABEL}' in variables.podLabels) || has(variables.container.readinessProbe))",
            f"spec.template.metadata.labels.{PROTECTED_LABEL}",
        ),
        *pods.pod_differences(job),
        *pods.container_differences(job, arguments.of_run("variables.container.args"), variables),
    ]


def _pods(job: Manifest) -> list[str]:
    """Return where a Job has another number of pods than one, or than those of a group have."""
    place, together = "variables.job.spec", "variables.together"
    success = cel_literal(job["spec"]["successPolicy"])
    return [
        whole(place, "completions", 1, MAX_NODES, "spec."),
        must(f"{together} == ({place}.completions > 1)", "spec.completions"),
        must(f"{place}.?parallelism == {place}.?completions", "spec.parallelism"),
        must(f"{place}.?completionMode.orValue('') == ({together} ? 'Indexed' : 'NonIndexed')", "spec.completionMode"),
        must(
            f"({together} ? {place}.?successPolicy == optional.of({success}) : !has({place}.successPolicy))",
            "spec.successPolicy",
        ),
    ]


def _transfer() -> list[str]:
    job = samples.transfer()
    labels = job["metadata"]["labels"]
    return [
        *_metadata(labels, annotations=(OWNER_ANNOTATION,)),
        must(text_in("object.metadata.name", ["phase2-pull-[0-9a-f]{1,16}"]), "metadata.name"),
        *_template(labels, ()),
        *_spec(job, exact=("completionMode", "podFailurePolicy", "backoffLimit")),
        whole("variables.job.spec", "completions", 1, 256, "spec."),
        whole("variables.job.spec", "parallelism", 0, 2, "spec."),
        whole("variables.job.spec", "activeDeadlineSeconds", 1, 7200, "spec."),
        whole("variables.job.spec", "ttlSecondsAfterFinished", 0, 600, "spec."),
        *pods.pod_differences(job),
        *pods.container_differences(
            job,
            arguments.of_transfer("variables.container.args"),
            pods.value_conditions(samples.container_of(job), {}),
        ),
    ]


def _metadata(labels: dict[str, str], *, extra: tuple[str, ...] = (), annotations: tuple[str, ...]) -> list[str]:
    known = dict.fromkeys((*labels, *extra, QUEUE_LABEL) if extra else labels)
    fixed = {key: value for key, value in labels.items() if key in (NAME_LABEL, COMPONENT_LABEL, *_MANAGED)}
    return [
        only(_OBJECT, "variables.job.metadata", "metadata."),
        only_or_common(known, "variables.labels", "Labels", "metadata.labels."),
        *(must(f"variables.labels[?'{key}'].orValue('') == '{value}'", f"metadata.labels.{key}")
          for key, value in fixed.items()),
        only_or_common(
            annotations, "variables.job.metadata.?annotations.orValue({})", "Annotations", "metadata.annotations."
        ),
    ]  # fmt: skip


def _template(labels: dict[str, str], annotations: tuple[str, ...]) -> list[str]:
    """Return where the labels of the pod are not those of its Job: network policies and quotas go by them."""
    path, place = "spec.template.metadata.", "variables.podLabels"
    same = f"key in variables.labels && variables.labels[key] == {place}[key]"
    if labels[COMPONENT_LABEL] == COMPONENT:
        same = f"(key == '{COMPONENT_LABEL}' ? {place}[key] == 'training' : {same})"
    protected = f"key == '{PROTECTED_LABEL}' && {place}[key] == '{PROTECTED}'"
    group = f"key == '{GROUP_LABEL}' && {place}[key] == '{GROUP}'"
    if labels[COMPONENT_LABEL] != COMPONENT:
        protected = f"{protected} || {group}"
    controller = f"key in {cel_literal(list(_CONTROLLER_LABELS))}"
    return [
        only(("labels", "annotations", "creationTimestamp"), "variables.template.metadata", path),
        f"{place}.filter(key, !({same} || {protected} || {controller})).map(key, '{path}labels.' + key)",
        only_or_common(
            annotations,
            "variables.template.metadata.?annotations.orValue({})",
            "Annotations",
            f"{path}annotations.",
        ),
    ]


def _spec(job: Manifest, *, exact: tuple[str, ...]) -> list[str]:
    place = "variables.job.spec"
    return [
        only(_SPEC, place, "spec."),
        must(f"!{place}.?manualSelector.orValue(false)", "spec.manualSelector"),
        *(equal(place, field, job["spec"][field], "spec.") for field in exact),
    ]


def _validations() -> list[Manifest]:
    # What a message says cannot depend on the authorizer.
    listed = cel_literal
    of_run = "!variables.created || variables.missing.size() > 0 || variables.scheduled || variables.transfer"
    use = "Use phase2 submit."
    return [
        refusal(
            "!variables.created || (variables.scheduled ? variables.unmanaged : variables.missing).size() == 0",
            "'A Job in this namespace is a run of phase2 and carries its labels; missing: '"
            f" + variables.missing.join(', ') + '. {use}'",
            reason="Invalid",
        ),
        *(
            refusal(
                f"{of_run} || variables.{one} in variables.{one}s",
                f"'Unknown {one} ' + variables.{one} + ': it is one of ' + variables.{one}s.join(', ') + '.'",
                reason="Invalid",
            )
            for one in ("algorithm", "mode")
        ),
        refusal(
            f"{of_run} || variables.level == (variables.mode in ['competition', '{SWEEP}'] ? '' : variables.mode)",
            listed(
                "The label phase2.dev/level repeats phase2.dev/mode, and is absent in a competition and in a sweep."
            ),
            reason="Invalid",
        ),
        refusal(
            "!variables.created || variables.foreign.size() == 0",
            "'Image not approved: ' + variables.foreign.join(', ') + '. It is one of '"
            " + variables.approved.join(', ') + '.'",
        ),
        refusal(
            "!variables.created || !variables.byDigest || variables.undigested.size() == 0",
            "'An image is named by its digest here (name@sha256:...), which says what it is: '"
            " + variables.undigested.join(', ') + '.'",
        ),
        refusal(
            f"object.spec.template.spec.?serviceAccountName.orValue('') == '{SERVICE_ACCOUNT}'",
            listed(f"A run has the service account {SERVICE_ACCOUNT}, which has no rights."),
        ),
        refusal(
            "!object.spec.template.spec.?automountServiceAccountToken.orValue(true)",
            listed("A run has no token of the API server: automountServiceAccountToken is false."),
        ),
        refusal(
            "!variables.created || !variables.people || variables.differences.size() == 0",
            "(variables.transfer ? 'A Job of the component transfer is that of phase2 pull --through-cluster' : "
            "'A Job in this namespace is one that phase2 submit makes') + ', field by field; it differs in '"
            " + variables.differences.join(', ') + '.'",
        ),
        refusal(
            "variables.created || !variables.people || variables.changes.size() == 0",
            "'A Job is stopped with phase2 cancel, and changed in nothing else: ' + variables.changes.join(', ')"
            " + '. Submit the run again.'",
        ),
    ]
