"""The block of a CIF that holds its structure, with the data names of all dictionaries made alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import gemmi

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.shown import cut
from phase2.errors import InvalidCrystalError

_LINE_END = re.compile(r"\r\n?")
_PARSE_ERROR = re.compile(r"\w+:(\d+):\d+\(\d+\): (.*)", re.DOTALL)
_POSITIONS = ("_atom_site_fract_x", "_atom_site_cartn_x")
# Two columns of one of these would be two structures, or half of one.
_ONCE = re.compile(r"_cell_(?:length|angle)_|_atom_site_(?:label|type_symbol|fract_[xyz]|cartn_[xyz]|occupancy)$")
_SHOWN_BLOCKS = 5


@dataclass(frozen=True, slots=True)
class Block:
    """Block of a CIF.

    Attributes:
        name: Its name.
        columns: Values as written, by data name in lower case with ``_`` for ``.``, as CIF 2 and mmCIF write it.
        names: Data names as written, by the same keys.
        crystal_id: Name of the crystal, for messages.
    """

    name: str
    columns: dict[str, list[str]]
    names: dict[str, str]
    crystal_id: str

    def column(self, name: str) -> list[str] | None:
        """Return the values of a data name as written, None without it."""
        return self.columns.get(name)

    def stated(self, *names: str) -> Iterator[tuple[str, str]]:
        """Yield data names that have one value, as written, with the value; ``?`` and ``.`` are none."""
        for name in names:
            values = self.columns.get(name, ())
            if len(values) == 1 and not is_missing(values[0]):
                yield self.names[name], unquoted(values[0])

    @property
    def site_count(self) -> int:
        """Number of atom sites, by the first column of their positions that it has."""
        return next((len(self.columns[name]) for name in _POSITIONS if self.columns.get(name)), 0)

    @property
    def is_mmcif(self) -> bool:
        """Whether its sites have the data names of the dictionary mmCIF, with a dot."""
        return any("." in self.names[name] for name in _POSITIONS if name in self.names)

    def error(self, why: str, fix: str = "Correct or remove this structure.") -> InvalidCrystalError:
        """Build the error for the crystal."""
        return InvalidCrystalError.of(self.crystal_id, cut(" ".join(why.split())), fix)


def read_block(text: str, crystal_id: str, limits: ReadingLimits) -> Block:
    """Read the one block of a CIF that has atom sites.

    Raises:
        InvalidCrystalError: The text is no CIF, or has no block with atom sites or several.
        LimitExceededError: It has too many blocks.
    """
    blocks = list(_parsed(text, crystal_id, limits))
    if not blocks:
        raise InvalidCrystalError.of(crystal_id, "it is no CIF: it has no data block.", "Check the file.")
    with_sites = [block for block in blocks if any(_has_rows(block, name) for name in _POSITIONS)]
    if len(with_sites) > 1:
        shown = ", ".join(map(_description, with_sites[:_SHOWN_BLOCKS]))
        more = ", ..." if len(with_sites) > _SHOWN_BLOCKS else ""
        raise blocks[0].error(
            f"it holds {len(with_sites)} structures ({shown}{more}), expected one.", "Write one file for each."
        )
    if not with_sites:
        raise blocks[0].error(
            "it has no atom sites: no block has _atom_site_fract_x or _atom_site_Cartn_x with values.",
            "Check that the file is complete.",
        )
    return _checked(with_sites[0])


def is_missing(value: str) -> bool:
    """Tell whether a value is ``?``, ``.`` or left out."""
    return value in {"?", ".", ""}


def unquoted(value: str) -> str:
    """Return a value without its quotes."""
    return gemmi.cif.as_string(value).strip()


def _parsed(text: str, crystal_id: str, limits: ReadingLimits) -> Iterator[Block]:
    # Names and numbers of crystals are ASCII; authors' names are not, and may stand outside of quotes.
    ascii_text = _LINE_END.sub("\n", text).replace("\u00a0", " ").encode("ascii", "replace").replace(b"\x0c", b" ")
    try:
        document = gemmi.cif.read_string(ascii_text, check_level=0)
    except (ValueError, RuntimeError) as error:
        raise _no_cif(text, str(error), crystal_id) from error
    if len(document) > limits.blocks:
        raise limits.exceeded("blocks", f"Crystal '{crystal_id}'", f"it has {len(document):,} data blocks")
    for block in document:
        yield _block(block, crystal_id)


def _no_cif(text: str, message: str, crystal_id: str) -> InvalidCrystalError:
    match = _PARSE_ERROR.fullmatch(message)
    where = f"line {match[1]}: {match[2]}" if match else message
    if text.startswith("#\\#CIF_2"):
        return InvalidCrystalError.of(
            crystal_id,
            cut(f"it is CIF 2, and has what CIF 1.1 has not ({where})."),
            "Save it as CIF 1.1, without lists, tables and triple quotes.",
        )
    return InvalidCrystalError.of(crystal_id, cut(f"it is no valid CIF ({where})."), "Correct the line, or export it.")


def _block(parsed: gemmi.cif.Block, crystal_id: str) -> Block:
    columns: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    repeated = set()
    for tag, values in _items(parsed):
        key = tag.lower().replace(".", "_")
        if key in columns and columns[key] != values:
            repeated.add(key)
        columns[key], names[key] = values, tag
    block = Block(parsed.name.strip(), columns, names, crystal_id)
    for key in repeated:
        if _ONCE.match(key):
            raise block.error(f"it gives {names[key]} twice, with other values.", "Write one structure per file.")
    return block


def _items(parsed: gemmi.cif.Block) -> Iterator[tuple[str, list[str]]]:
    for item in parsed:
        if item.pair is not None:
            tag, value = cast("tuple[str, str]", item.pair)
            yield tag, [value]
        elif item.loop is not None:
            tags, values = item.loop.tags, item.loop.values
            for column, tag in enumerate(tags):
                yield tag, values[column :: len(tags)]


def _has_rows(block: Block, name: str) -> bool:
    return bool(block.columns.get(name))


def _description(block: Block) -> str:
    formula = next((value for _, value in block.stated("_chemical_formula_sum")), "")
    kinds = block.column("_atom_site_type_symbol") or block.column("_atom_site_label") or []
    content = formula or " ".join(list(dict.fromkeys(kinds))[:_SHOWN_BLOCKS])
    return f"{block.name or 'without a name'}: {content}"


def _checked(block: Block) -> Block:
    """Refuse what is no crystal of three dimensions."""
    modulated = next((name for name in block.columns if name.startswith(("_cell_modulation_", "_cell_wave_"))), None)
    if modulated and next(block.stated(modulated), ("", "0"))[1] != "0":
        raise block.error(f"it is a modulated structure ({block.names[modulated]}), not periodic in three directions.")
    return block
