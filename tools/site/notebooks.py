"""Notebooks as pages: the text, the code, and the outputs that are stored with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any


def notebook_page(text: str, name: str) -> str:
    """Return the Markdown of a notebook.

    Args:
        text: The notebook, JSON of format 4.
        name: Its file name, to which the page has a link.
    """
    parts = [part for cell in json.loads(text)["cells"] for part in _cell(cell)]
    note = f"[This page is a notebook]({name}): download it, and run it cell by cell."
    return "\n\n".join([parts[0], note, *parts[1:]]) + "\n"


def _cell(cell: dict[str, Any]) -> Iterator[str]:
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        heading, _, rest = source.partition("\n\n")
        yield from (heading, rest) if heading.startswith("# ") and rest else (source,)
        return
    yield f"```python\n{source}\n```"
    for output in cell.get("outputs", []):
        yield _output(output.get("data") or {"text/plain": output["text"]})


def _output(data: dict[str, Any]) -> str:
    """The richest form of an output: a picture, a table, or text."""
    if "image/png" in data:
        return f"![What the cell above draws](data:image/png;base64,{''.join(data['image/png']).strip()})"
    if "text/html" in data:
        table = re.sub(r"<style.*?</style>", "", "".join(data["text/html"]), flags=re.DOTALL)
        return re.sub(r"\n\s*", "", table.replace(' border="1" class="dataframe"', ""))
    return f"```text\n{''.join(data['text/plain']).rstrip()}\n```"
