"""YAML as the repository holds it: without anchors, every string a string, text of several lines as a block."""

from typing import Any

import yaml

Manifest = dict[str, Any]
"""An object of the Kubernetes API, as JSON has it."""


def to_yaml(content: object) -> str:
    """Return one YAML document; keys keep their order."""
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=10_000, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """Dumper that repeats shared values instead of naming them."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True  # Argo skips a file with anchors, without a message


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
