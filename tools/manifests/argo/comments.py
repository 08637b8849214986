"""Comments in the files: each above the first line whose reason a reader could not guess."""

_COMMENTS = {
    "executor:": "The program's container sees no token; Argo's own containers get this one.",
    "podDisruptionBudget:": "A number: as a string it leaves the workflow Pending, without a message.",
    "podGC:": "On success the pods go at once, and 'argo logs' with them; archiveLogs keeps the logs in the bucket.",
    "podSpecPatch: |": "Values reach this text as they are: the admission policy holds them to their shapes.",
    "backoff:": "No maxDuration: it counts from the first start of the step.",
    "expression: '(lastRetry": "1, 2, 3 and 4 are final; out of memory is retried once; a deadline never is.",
    "activeDeadlineSeconds:": "Of the whole workflow, also of its time in queues.",
}


def with_comments(text: str) -> str:
    """Return the YAML of a document with its comments."""
    lines: list[str] = []
    for line in text.splitlines():
        body = line.lstrip()
        comment = next((words for start, words in _COMMENTS.items() if body.startswith(start)), None)
        if comment and not any(comment in before for before in lines):
            lines.append(f"{line[: len(line) - len(body)]}# {comment}")
        lines.append(line)
    return "\n".join(lines) + "\n"
