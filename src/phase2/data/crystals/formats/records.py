"""Records of JSON files, tables and databases: where their structure is, and what it is called."""

from __future__ import annotations

from collections.abc import Mapping

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.json_text import BoundedDecoder
from phase2.data.crystals.formats.parsing import naming_file
from phase2.data.crystals.formats.recognition import is_cif, is_poscar
from phase2.data.crystals.formats.schemas import SCHEMAS, FoundStructure
from phase2.data.crystals.shown import cut
from phase2.errors import DataError, InvalidCrystalError

PLACES = ("atoms", "structure", "final_structure", "attributes", "entry", "cif", "poscar")
"""Keys of a record that hold its structure, in the order in which they are preferred."""

_EXPECTED = frozenset({"structure", "final_structure", "cif", "poscar"})
_DEPRECATED = "its record says that it is deprecated"

_IDS = ("jid", "id", "material_id", "entry_id", "mpid", "unique_id")


def find_structure(record: Mapping[str, object]) -> FoundStructure | None:
    """Find the structure of a record: under a usual key, in the record itself, or under the only key that holds one.

    Returns:
        The structure, with a remark where the record says that it is deprecated, as documents of the Materials Project
        do; None where there is none, or where a usual key is there and holds none.

    Raises:
        InvalidCrystalError: Several keys hold a structure, and none of them is a usual one.
    """
    found = _find(record)
    return found._replace(remarks=(_DEPRECATED,)) if found is not None and record.get("deprecated") is True else found


def _find(record: Mapping[str, object]) -> FoundStructure | None:
    for key in PLACES:
        if key in record and (found := _structure_in(record[key])) is not None:
            return found
    if (found := _recognised(record)) is not None:
        return found
    if "atoms" in record and not isinstance(record["atoms"], str):
        return FoundStructure("jarvis", {"atoms": record["atoms"]})  # incomplete: its conversion says what it lacks
    if _EXPECTED & record.keys():  # an initial structure, for instance, is not the one that the labels belong to
        return None
    others = {key: found for key, value in record.items() if (found := _structure_in(value)) is not None}
    if len(others) > 1:
        raise InvalidCrystalError(
            f"A record has {len(others)} structures: {', '.join(map(repr, list(others)[:8]))}.",
            why="It is not known which of them its labels belong to.",
            fix="Keep one of them, or call it 'structure'.",
        )
    return next(iter(others.values()), None)


def is_record(value: object) -> bool:
    """Tell whether a value is a record with a structure, or a structure."""
    try:
        return isinstance(value, Mapping) and find_structure(value) is not None
    except InvalidCrystalError:
        return True


def _structure_in(value: object) -> FoundStructure | None:
    """Recognise a structure, or an entry that holds one as its ``structure``."""
    if isinstance(value, FoundStructure):
        return value
    if isinstance(value, str):
        return structure_in_text(value)
    if not isinstance(value, Mapping):
        return None
    found = _recognised(value)
    if found is None and isinstance(inner := value.get("structure"), Mapping):
        return _recognised(inner)
    return found


def structure_in_text(value: str) -> FoundStructure | None:
    """Recognise the text of a CIF or POSCAR, or JSON of a structure, None for another."""
    if value.lstrip()[:1] == "{":
        return _in_json(value)
    if "\n" not in value:
        return None
    schema = "cif" if is_cif(value) else "poscar" if is_poscar(value) else None
    return None if schema is None else FoundStructure(schema, value)


def _in_json(text: str) -> FoundStructure | None:
    decoder = BoundedDecoder(DEFAULT_LIMITS)
    try:
        value = decoder.decode(text, "A cell")
    except DataError:
        return None
    return _structure_in(value) if isinstance(value, Mapping) and not decoder.repeated else None


def _recognised(value: Mapping[str, object]) -> FoundStructure | None:
    for key, schema in SCHEMAS.items():
        if schema.required <= value.keys():
            return FoundStructure(key, {k: value[k] for k in (*schema.required, *schema.optional) if k in value})
    return None


def record_id(record: Mapping[str, object]) -> str | None:
    """Return the id that a record gives itself, None where it gives none."""
    for key in _IDS:
        value = record.get(key)
        if (isinstance(value, str) and value.strip()) or type(value) is int:
            return str(value)
    return None


def fields_beside_structure(record: Mapping[str, object]) -> list[str]:
    """Name the fields of a record that are neither its id nor its structure, nor parts of it where it is one itself."""
    own = {*_IDS, "atoms", "structure"}
    for schema in SCHEMAS.values():
        if schema.required <= record.keys():
            own |= schema.keys
    return [str(name) for name in record if name not in own and not str(name).startswith("@")]


def without_structure(record: Mapping[str, object]) -> str:
    """Return the sentence about a record without a structure, with the keys that it has."""
    keys = ", ".join(f"'{cut(str(key), 40)}'" for key in list(record)[:12])
    return f"It has no structure; its keys are {keys or 'none'}."


def convert_record(
    record: Mapping[str, object], subject: str, crystal_id: str, limits: ReadingLimits = DEFAULT_LIMITS
) -> Crystal:
    """Convert the structure of a record.

    Args:
        record: The record.
        subject: Its file, for messages.
        crystal_id: Name of the crystal.
        limits: Limits of reading.

    Raises:
        InvalidCrystalError: It has no, several, or no valid ordered crystal, or exceeds a limit.
    """
    found = find_structure(record)
    if found is None:
        raise InvalidCrystalError(
            f"{subject} holds no crystal:", why=without_structure(record), fix="Call its structure 'structure'."
        )
    if found.is_text:
        return found.to_crystal(subject, crystal_id, limits)
    with naming_file(subject):
        return found.to_crystal(subject, crystal_id, limits)
