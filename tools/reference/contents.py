"""The index of the reference."""

from __future__ import annotations

from phase2.runs.report.markdown import markup_table

_PAGES = {
    "[Command line](cli.md)": "every command and option, as `--help` prints it",
    "[Settings of a run](configuration.md)": "every setting by its path, with defaults and meaning",
    "[Schema of a configuration file](run-config.schema.json)": "the same for editors, JSON Schema",
    "[Levels](levels.md)": "what each algorithm trains at each level and in competition",
    "[Files of a run](manifest.md)": "manifest, results, history and attempts, field by field",
    "[Exit codes](exit-codes.md)": "what each means, and whether a retry makes sense",
    "[Metrics](metrics.md)": "what a training and the observer tell Prometheus",
    "[Python](python.md)": "classes and functions of `import phase2`",
    "[Values of the Helm chart](../../charts/phase2-runner/README.md)": "every value with its default",
    "[Conventions and glossary](../conventions.md)": "units, signs, shapes, terms",
    "[Data card of the sample](../data/sample.md)": "what is in it, where from, and its flaws",
}


def contents_page() -> str:
    """Return the page."""
    return _PAGE.format(pages=markup_table(("page", "what it has"), list(_PAGES.items())))


_PAGE = """\
# Reference

Generated from the code, except for the last two pages; `make lint` fails when one is stale.

{pages}
"""
