"""Check and measure phase2 on a GPU: laws, resume, speed, memory, profile, and baselines in the same run.

Exit codes: 0 all is well; 1 a law failed or could not be checked; 2 there is no such device or no file of crystals; 3
another section, or a part of one, failed. Whatever was measured is written.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.gpu.record.report import Report, Section
from bench.gpu.record.rows import FailureRow
from bench.gpu.record.table import markdown
from bench.gpu.runner import METHODS, context, run_section
from bench.gpu.sections.registry import MACHINE, SECTIONS, Plan
from bench.gpu.setting import DATA, Setting

LAW_FAILED, UNUSABLE, SECTION_FAILED = 1, 2, 3


def main() -> int:
    """Run the sections, write the report, and print its table."""
    chosen = _arguments()
    setting = Setting(chosen.device, chosen.data.resolve(), quick=chosen.quick)
    if not setting.data.is_file():
        print(f"There is no file of crystals '{setting.data}'. Make it with `make gpu-pack`.", file=sys.stderr)
        return UNUSABLE
    start, begun = time.perf_counter(), datetime.now(UTC).replace(microsecond=0)
    method, first = _machine(setting, chosen.start_method)
    if first.status == "failed":
        print(f"The device cannot be used. {first.error}", file=sys.stderr)
        return UNUSABLE
    plans = [plan for plan in SECTIONS if plan.name in chosen.only]
    sections = [first, *(_announced(plan, setting, method) for plan in plans)]
    report = Report(
        time=begun.isoformat(),
        quick=setting.quick,
        start_method=method,
        data=chosen.data.name,
        data_sha256=setting.store.sha256,
        seconds=round(time.perf_counter() - start, 1),
        sections=tuple(sections),
    )
    folder = chosen.output or Path("bench/results" if chosen.device.startswith("cuda") else "build")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / report.file_name
    path.write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    print(markdown(report))
    print(f"{path}: {report.seconds:.0f} s", file=sys.stderr)
    return _exit_code(report, plans)


def _arguments() -> argparse.Namespace:
    names = tuple(plan.name for plan in SECTIONS)
    parser = argparse.ArgumentParser(
        prog="python -m bench.gpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda", help="cuda, or cpu to try the check itself")
    parser.add_argument("--quick", action="store_true", help="measure as little as possible, to try the check itself")
    parser.add_argument("--data", type=Path, default=DATA, help=f"packed crystals, {DATA} unless given")
    parser.add_argument("--output", type=Path, help="folder of the JSON: bench/results, or build for the CPU")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="SECTION", help=", ".join(names))
    parser.add_argument("--start-method", choices=METHODS, default=METHODS[0], help="how processes are started")
    return parser.parse_args()


def _machine(setting: Setting, method: str) -> tuple[str, Section]:
    """Describe the device; where a forked process cannot use it, start each from nothing."""
    for tried in dict.fromkeys((method, METHODS[-1])):
        section = _announced(MACHINE, setting, tried)
        if section.status == "complete":
            break
    return tried, section


def _announced(plan: Plan, setting: Setting, method: str) -> Section:
    print(f"{plan.name} ...", end=" ", file=sys.stderr, flush=True)
    section = run_section(plan, setting, context(method))
    print(f"{section.seconds:.0f} s {section.error}", file=sys.stderr, flush=True)
    return section


def _exit_code(report: Report, plans: list[Plan]) -> int:
    failed = {section.name for section in report.sections if section.status == "failed"}
    incomplete = failed | {s.name for s in report.sections if any(isinstance(row, FailureRow) for row in s.rows)}
    if any(plan.has_laws and plan.name in incomplete for plan in plans) or not all(law.holds for law in report.laws):
        return LAW_FAILED
    return SECTION_FAILED if incomplete else 0


if __name__ == "__main__":
    sys.exit(main())
