"""Error responses of the API server, as errors that say what to do. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from phase2.cluster.request.quotas import exceeds_whole_quota, quota_message
from phase2.errors import Phase2Error, RequestError, TransientError

_WEBHOOK = re.compile(r'admission webhook "(?P<name>[^"]+)" denied the request:? ?(?P<why>.*)', re.DOTALL)
_POLICY = re.compile(r"ValidatingAdmissionPolicy '(?P<name>[^']+)'.*?denied request: (?P<why>.*)", re.DOTALL)
_OWNERS = "phase2-owners"
"""Beginning of the name of the policy by which people stop and delete their own runs."""
_NO_NAMESPACE = re.compile(r'namespaces "(?P<name>[^"]+)" not found')
_NOT_ALLOWED = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\w+) resource "(?P<resource>[^"]+)"'
    r'(?: in API group "(?P<group>[^"]*)")?(?: in the namespace "(?P<namespace>[^"]+)")?'
)
_EVERYWHERE = "at the cluster scope"
_ARGO_ROLE = "phase2-workflow-submitter of argo/cluster"
_CREDENTIALS = "Sign in again as your cluster wants it, or name another context with --context."


class NoClusterError(RequestError):
    """Error of reaching a cluster where none is configured."""


class ObjectConflictError(RequestError):
    """Error of creating an object whose name is taken, or of changing one that another client changed."""


class ObjectGoneError(RequestError):
    """Error of reading an object that does not exist."""


class ForbiddenError(RequestError):
    """Error of a request that the user has no permission for."""


class WatchExpiredError(TransientError):
    """Error of a watch whose resource version has expired: the object has to be read again."""


def response_error(status: int, body: bytes, *, action: str, server: str) -> Phase2Error:
    """Return the error of a response without success.

    Args:
        status: HTTP status of the response.
        body: Its content: a Status object, if the API server itself responds.
        action: What the request does, to follow "cannot": ``create jobs in the namespace phase2``.
        server: Address of the server.
    """
    answer = _status(body)
    message = str(answer.get("message") or body[:200].decode(errors="replace").strip() or f"status {status}")
    if status == 401:
        return RequestError(
            "The cluster does not accept your credentials.",
            why=f"{server} answers 'Unauthorized': the token or certificate of the kubeconfig has expired or is wrong.",
            fix=_CREDENTIALS,
        )
    for explain in (_namespace_missing, _quota, _denied, _forbidden):
        if (error := explain(message, action)) is not None:
            return error
    if (kind := _KINDS.get(status)) is not None:
        return kind(f"Cannot {action}.", why=_as_sentence(message), fix="Look with 'phase2 status', and run it again.")
    if status == 429 or status >= 500:
        return TransientError(
            "The cluster is temporarily unavailable.",
            why=f"{server} says: {_as_sentence(message)}",
            fix="Try again later.",
        )
    why = f"The API server says: {_as_sentence(_causes(answer) or message)}"
    return RequestError(f"Cannot {action}.", why=why, fix="Change what it objects to.")


_KINDS: dict[int, type[Phase2Error]] = {404: ObjectGoneError, 409: ObjectConflictError, 410: WatchExpiredError}


def unreachable(server: str, reason: str) -> TransientError:
    """Return the error of a server that does not answer."""
    return TransientError(
        f"The cluster {server} cannot be reached.",
        why=f"{reason}.",
        fix="Check the network or VPN and the kubeconfig's server, or name another context with --context.",
    )


def _quota(message: str, action: str) -> Phase2Error | None:
    sentence = quota_message(message)
    if sentence is None:
        return None
    if exceeds_whole_quota(message):
        return RequestError(
            f"Cannot {action}: {sentence}.", why="It asks for more than the whole quota.", fix="Ask for less."
        )
    return TransientError(
        f"Cannot {action}: {sentence}.",
        why="Others use the rest of it.",
        fix="Try again when something has ended, or ask for less.",
    )


def _namespace_missing(message: str, action: str) -> Phase2Error | None:
    found = _NO_NAMESPACE.search(message)
    if found is None:
        return None
    return RequestError(
        f"There is no namespace '{found['name']}' in this cluster.",
        why=f"So phase2 cannot {action}.",
        fix="Name one with --namespace, or install k8s/base, which makes the namespace phase2.",
    )


def _denied(message: str, action: str) -> Phase2Error | None:
    for pattern, kind in ((_WEBHOOK, "admission webhook"), (_POLICY, "admission policy")):
        if (found := pattern.search(message)) is not None:
            if found["name"].startswith(_OWNERS):
                why, _, fix = found["why"].partition(" Ask ")
                return ForbiddenError(f"You may not {action}.", why=_as_sentence(why), fix=_as_sentence(f"Ask {fix}"))
            return RequestError(
                f"Cannot {action}: the {kind} '{found['name']}' of the cluster denies it.",
                why=_as_sentence(found["why"] or "It gives no reason"),
                fix="Change what it objects to, or ask whoever runs the cluster.",
            )
    if "violates PodSecurity" in message:
        why = message[message.index("violates PodSecurity") :]
        return RequestError(f"Cannot {action}.", why=_as_sentence(f"It {why}"), fix="Ask whoever runs the cluster.")
    return None


def _forbidden(message: str, action: str) -> Phase2Error | None:
    found = _NOT_ALLOWED.search(message)
    if found is None:
        return None
    where = f" in the namespace {found['namespace']}" if found["namespace"] else ""
    role = _ARGO_ROLE if found["group"] == "argoproj.io" else "phase2-submitter of k8s/base"
    if _EVERYWHERE in message:
        return ForbiddenError(
            f"You may not {action}.",
            why=f"The cluster knows you as '{found['user']}', who may not {found['verb']} {found['resource']} of every "
            "namespace.",
            fix="Name one namespace with -n NAMESPACE, or ask for a ClusterRole that may list jobs, workflows, pods "
            "and events.",
        )
    return ForbiddenError(
        f"You may not {action}.",
        why=f"The cluster knows you as '{found['user']}', who may not {found['verb']} {found['resource']}{where}.",
        fix=f"Ask for the Role {role}, or name another --namespace or --context.",
    )


def _status(body: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _causes(answer: Mapping[str, Any]) -> str:
    causes = (answer.get("details") or {}).get("causes") or []
    return "; ".join(f"{cause.get('field', '')}: {cause.get('message', '')}".strip(": ") for cause in causes)


def _as_sentence(text: str) -> str:
    flat = " ".join(text.split())
    return flat if flat.endswith((".", "!", "?")) else f"{flat}."
