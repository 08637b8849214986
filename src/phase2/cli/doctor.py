"""``phase2 doctor``: check the environment of a training."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.cluster.options import ContextOption, NamespaceOption, connected, namespace_of
from phase2.cli.console import note, print_table
from phase2.cli.store import MODELS, JsonOption, print_json
from phase2.config.settings import STORE_VARIABLE, store_url

if TYPE_CHECKING:
    from phase2.diagnosis.finding import Finding, Problem

StoreToAsk = Annotated[
    str | None,
    typer.Option("--store", help=f"Store to check: s3://bucket/prefix or a folder (default: ${STORE_VARIABLE})."),
]
OutputOption = Annotated[Path, typer.Option("--output", help="Folder that runs would be written to.")]


def doctor(
    store: StoreToAsk = None,
    output: OutputOption = Path(MODELS),
    namespace: NamespaceOption = None,
    context: ContextOption = None,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Check everything that a training depends on; exit 0 if it can start, else 2, or 75 if waiting may help.

    With --namespace or --context it checks the installation of that namespace instead, and changes nothing there.
    """
    from phase2.diagnosis.finding import exit_code

    in_cluster = bool(namespace or context)
    findings = _installed(namespace, context) if in_cluster else _findings(store or store_url(), output)
    code = exit_code(findings)
    if as_json:
        print_json({"ok": code == 0, "findings": [dataclasses.asdict(finding) for finding in findings]})
    else:
        print_table("", ("", "", ""), [(one.topic, one.name, one.value) for one in findings])
        for finding in findings:
            if finding.problem is not None:
                _print_problem(finding.problem)
        if code == 0:
            note("ready for runs" if in_cluster else "ready to train")
    raise typer.Exit(code)


def _findings(store: str | None, output: Path) -> list[Finding]:
    from phase2.diagnosis.folders import check_folders
    from phase2.diagnosis.kubernetes import check_kubernetes
    from phase2.diagnosis.machine import check_machine
    from phase2.diagnosis.software import check_software
    from phase2.diagnosis.store import check_store

    return [*check_software(), *check_machine(), *check_folders(output), *check_store(store), *check_kubernetes()]


def _installed(namespace: str | None, context: str | None) -> list[Finding]:
    from phase2.diagnosis.installation.checks import check_installation
    from phase2.diagnosis.installation.reader import NamespaceReader

    cluster = connected(context, namespace_of(context, namespace))
    return list(check_installation(NamespaceReader(cluster.connection, cluster.namespace)))


def _print_problem(problem: Problem) -> None:
    note(f"{'error' if problem.exit_code else 'warning'}: {problem.what}")
    for word, text in (("why", problem.why), ("fix", problem.fix)):
        if text:
            note(f"  {word}: {text}")
