"""Definitions of properties as people write them: ``cv:J/mol/K:heat_capacity``, a mapping, or a file of mappings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from phase2.config.data.own_properties import PropertyDefinition
from phase2.errors import RequestError, UnknownNameError
from phase2.properties import KEYS, MOST_PROPERTIES
from phase2.units import counted_per

OPTION = "--property"

_NAMES = ("file", "filename", "id", "jid", "material_id", "materialid", "mp_id", "name")
_COLUMNS = ("atoms", "cif", "error", "formula", "novelty", "poscar", "score", "structure", "warning")
_HEADINGS = frozenset({*_NAMES, *_COLUMNS})
_ALWAYS = ("_predicted", "_reference")
_BESIDE = ("_low", "_high")

_FIX = (
    f"Write {OPTION} cv:J/mol/K:heat_capacity (key, unit, column), or a mapping such as {{key: cv, transform: log1p}}."
)


def parse_property(text: str) -> tuple[PropertyDefinition, ...]:
    """Parse the argument of ``--property``: ``key:unit:column`` or less, a mapping, or a list of mappings.

    Raises:
        RequestError: It is none of these, or a value is invalid.
        UnknownNameError: A name in it is unknown; the nearest is offered.

    Example:
        >>> parse_property("cv:J/mol/K:heat_capacity")[0].text
        '{"key":"cv","unit":"J/mol/K","column":"heat_capacity"}'
        >>> parse_property("{key: total_energy, unit: eV, per: cell}")[0].per
        'cell'
    """
    from phase2.config.yaml_text import parse_yaml

    where = f"{OPTION} {text}"
    if text.strip()[:1] in ("{", "["):
        return definitions_of(parse_yaml(text, where), where)
    parts = [part.strip() for part in text.split(":")]
    if len(parts) > 3 or not parts[0]:
        raise RequestError(f"{where} is not understood.", why="It is no KEY:UNIT:COLUMN.", fix=_FIX)
    return definitions_of(dict(zip(("key", "unit", "column"), parts, strict=False)), where)


def read_properties_file(path: Path, *, option: str = "--properties-file") -> tuple[PropertyDefinition, ...]:
    """Read a YAML file with a list of definitions.

    Raises:
        RequestError: It is missing, not UTF-8, no YAML, no list, or a value is invalid.
        UnknownNameError: A name in it is unknown; the nearest is offered.
    """
    from phase2.config.yaml_text import parse_yaml

    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError(
            f"{path} cannot be read.", why=f"It is no UTF-8: {error.reason}.", fix="Save it as UTF-8."
        ) from error
    except OSError as error:
        raise RequestError(
            f"{path} cannot be read.", why=f"{error.strerror}.", fix=f"Check the path given with {option}."
        ) from error
    return definitions_of(parse_yaml(text, str(path)), str(path))


def definitions_of(content: object, where: str) -> tuple[PropertyDefinition, ...]:
    """Validate a mapping, or a list of them, as definitions of properties.

    Args:
        content: The mappings.
        where: Their origin, for messages.

    Raises:
        RequestError: A value is invalid, or two properties have the same key.
        UnknownNameError: A name is unknown; the nearest is offered.
    """
    rows = [content] if isinstance(content, Mapping) else content
    if not isinstance(rows, Sequence) or isinstance(rows, str) or not rows:
        raise RequestError(f"{where} holds no definitions of properties.", why="Expected a list of mappings.", fix=_FIX)
    found = tuple(_definition(row, where) for row in rows)
    check_definitions(found)
    return found


def check_definitions(definitions: Sequence[PropertyDefinition]) -> None:
    """Refuse definitions that collide with each other or with the nine.

    Raises:
        RequestError: A key is taken or means something else in tables, a unit contradicts ``per``, or there are too
            many.
    """
    taken: set[str] = set()
    for one in definitions:
        if one.key in KEYS:
            raise RequestError(
                f"The property '{one.key}' cannot be defined.",
                why="It is one of the nine that phase2 knows, with a unit and a meaning of its own.",
                fix=f"Choose another key, such as my_{one.key}"[:60] + ".",
            )
        if one.key in taken:
            raise RequestError(f"The property '{one.key}' is defined twice.", fix="Define each property once.")
        taken.add(one.key)
    for one in definitions:
        _refuse_heading(one.key, taken | set(KEYS))
        _refuse_other_count(one)
    most = MOST_PROPERTIES - len(KEYS)
    if len(definitions) > most:
        raise RequestError(f"{len(definitions)} properties are defined.", why=f"At most {most} are.", fix="Drop some.")


def _refuse_heading(key: str, keys: set[str]) -> None:
    """Refuse a key whose column in a table of structures or predictions would be taken for another."""
    ending = next((one for one in (*_ALWAYS, *_BESIDE) if key.endswith(one)), None)
    base = key.removesuffix(ending or "")
    if key not in _HEADINGS and not (ending in _ALWAYS and base) and not (ending in _BESIDE and base in keys):
        return
    raise RequestError(
        f"'{key}' cannot be the key of a property.",
        why="Tables of structures or predictions have a column of this name that means something else.",
        fix=f"Choose another key, such as {f'{base}_value' if ending else f'my_{key}'}, with column: {key}.",
    )


def _refuse_other_count(one: PropertyDefinition) -> None:
    """Refuse a unit that says other than ``per`` what values are counted per: they would be learned wrong."""
    said = counted_per(one.unit)
    fits = {"none": (None, "atom", "fu"), "atom": (None, "atom"), "cell": (None, "cell"), "volume": (None,)}
    if said in fits[one.per]:
        return
    raise RequestError(
        f"The property '{one.key}' is defined with the unit {one.unit} and per: {one.per}.",
        why="They say two things of what a value is counted per, and it decides how the value is learned.",
        fix="Write per: cell for values that grow with the cell, none or atom for others, and a unit that agrees.",
    )


def _definition(row: object, where: str) -> PropertyDefinition:
    if isinstance(row, PropertyDefinition):
        return row
    if not isinstance(row, Mapping):
        raise RequestError(f"{where}: {row} is no definition of a property.", why="Expected a mapping.", fix=_FIX)
    given = {name: value for name, value in row.items() if value is not None}
    flag = next((name for name in ("lower", "upper") if isinstance(given.get(name), bool)), None)
    if flag:
        raise RequestError(f"{where}: {flag}: {given[flag]} cannot be used.", why="A bound is a number.", fix=_FIX)
    try:
        return PropertyDefinition.model_validate(given)
    except ValidationError as error:
        raise _refused(error, given, where) from error


def _refused(error: ValidationError, row: Mapping[str, object], where: str) -> RequestError:
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "extra_forbidden":
        return UnknownNameError.of("field of a property", name, PropertyDefinition.model_fields)
    if first["type"] == "literal_error":
        choices = first["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        return UnknownNameError.of(f"{name} of a property", str(row[name]), choices)
    if first["type"] == "string_pattern_mismatch":
        return RequestError(
            f"'{row[name]}' is no key of a property.",
            why="A key has lower-case letters, digits and underscores, 40 at most, and begins with a letter.",
            fix=f"Write key: {_as_key(str(row[name]))}, and put the full name into title.",
        )
    label = f"{where}: {name}: {row[name]}" if name in row else f"{where}{f': {name}' if name else ''}"
    reason = first["msg"].removeprefix("Value error, ")
    return RequestError(f"{label} cannot be used.", why=f"{reason[:1].upper()}{reason[1:]}.", fix=_FIX)


def _as_key(text: str) -> str:
    """Return the nearest legal key.

    >>> _as_key("Heat Capacity (Cv)"), _as_key("2D")
    ('heat_capacity_cv', 'p_2d')
    """
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in text.lower()).split()
    key = "_".join(words)[:38] or "property"
    return key if key[0].isalpha() else f"p_{key}"
