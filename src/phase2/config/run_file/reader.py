"""Reader of configuration files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phase2.config.assignments import Setting, settings_of
from phase2.errors import RequestError

_TEXT_OPTIONS = ("algorithm", "level")
_SWITCHES = ("competition", "all_properties")
OWN = "own_properties"
OPTIONS = (*_TEXT_OPTIONS, *_SWITCHES, OWN)
"""Options of a request that a file may give besides settings."""

GROUPS = ("data", "data.graph", "data.limits", "model", "training", "foundation", "fine_tuning")


@dataclass(frozen=True, slots=True)
class RunFile:
    """Content of a configuration file.

    Attributes:
        name: Its path as it was given, for messages and origins.
        options: Fields of a request, of ``OPTIONS``.
        settings: Settings by dotted path.
    """

    name: str
    options: Mapping[str, object]
    settings: tuple[Setting, ...]

    @classmethod
    def read(cls, path: Path, *, option: str = "--config") -> RunFile:
        """Read a file.

        Args:
            path: The file.
            option: Option that named it, for messages.

        Raises:
            RequestError: It is missing, not UTF-8, not YAML, not a mapping, or has an invalid value.
        """
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            fix = "Save it as UTF-8."
            raise RequestError(f"{path} cannot be read.", why=f"It is no UTF-8: {error.reason}.", fix=fix) from error
        except OSError as error:
            why = f"{error.strerror}."
            raise RequestError(
                f"{path} cannot be read.", why=why, fix=f"Check the path given with {option}."
            ) from error
        return cls.parse(text, str(path))

    @classmethod
    def parse(cls, text: str, name: str) -> RunFile:
        r"""Parse the text of a file.

        Raises:
            RequestError: As :meth:`read`.

        Example:
            >>> file = RunFile.parse("algorithm: cgcnn\ntraining: {epochs: 3}", "run.yaml")
            >>> file.options["algorithm"], file.settings[0].text, file.settings[0].origin
            ('cgcnn', 'training.epochs=3', 'file run.yaml')
        """
        from phase2.config.yaml_text import parse_yaml  # PyYAML would slow every command down

        content = parse_yaml(text, name)
        if not isinstance(content, dict):
            what = "is empty" if content is None else "holds no mapping"
            raise RequestError(
                f"{name} {what}.",
                why="A configuration file holds names and values, such as training: {patience: 20}.",
                fix="'phase2 explain --yaml' writes one to begin with.",
            )
        options = {
            key: _option(key, content[key], name) for key in content if key in OPTIONS and content[key] is not None
        }
        rest = {key: value for key, value in content.items() if key not in OPTIONS}
        return cls(name, options, settings_of(_leaves(rest, name), f"file {name}"))


def _option(key: str, value: Any, name: str) -> object:
    if key == OWN:
        from phase2.config.data.property_texts import definitions_of

        return definitions_of(value, f"{name}: {OWN}")
    wanted, kind = (bool, "true or false") if key in _SWITCHES else (str, "a name")
    if not isinstance(value, wanted):
        raise RequestError(f"{name}: {key}: {value} cannot be used.", why=f"Expected {kind}.", fix="Correct it.")
    return value


def _leaves(tree: Mapping[str, Any], name: str, prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in tree.items():
        path = f"{prefix}{key}"
        if "." in key:
            group, _, rest = key.partition(".")
            raise RequestError(
                f"{name}: '{path}' has a dot in its name.",
                why="Settings are nested in a file; dotted paths are for --set.",
                fix=f"Write {group}: {{{rest}: ...}}.",
            )
        if path in GROUPS:
            yield from _leaves(_group(path, value, name), name, f"{path}.")
        elif isinstance(value, Mapping) and value:
            yield from _leaves(value, name, f"{path}.")
        else:
            yield path, value


def _group(path: str, value: Any, name: str) -> Mapping[str, Any]:
    if value is None:  # all its lines are comments
        return {}
    if not isinstance(value, Mapping):
        example = {"data": "data: {source: jarvis-dft3d}", "model": "model: {trunk: 64}"}
        raise RequestError(
            f"{name}: {path}: {value} cannot be used.",
            why=f"'{path}' is a group of settings, a mapping.",
            fix=f"Write {example.get(path, 'training: {patience: 20}')}, say.",
        )
    return value
