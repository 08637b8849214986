"""What ``import phase2`` offers, and what it does without."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import phase2

HEAVY = {"torch", "numpy", "pandas", "pydantic", "pymatgen", "rich", "typer", "boto3"}


def fresh(code):
    """Run code in a process of its own, and read the JSON that it prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_importing_loads_nothing_heavy(record_property):
    modules, seconds = fresh(
        "import json, sys, time\n"
        "start = time.perf_counter()\n"
        "import phase2\n"
        "seconds = time.perf_counter() - start\n"
        "print(json.dumps([sorted(sys.modules), seconds]))"
    )
    sys.stdout.write(f"import phase2: {1000 * seconds:.1f} ms\n")
    record_property("seconds", seconds)
    assert not HEAVY & {name.partition(".")[0] for name in modules}
    assert [name for name in modules if name.startswith("phase2")] == ["phase2"]


def test_data_sets_and_lists_need_no_torch(tmp_path):
    loaded = fresh(
        "import json, sys, phase2\n"
        f"len(phase2.list_runs({str(tmp_path)!r}))\n"
        "phase2.load_dataset('sample').label_counts\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    assert not {"torch", "pandas", "pymatgen"} & set(loaded)


def test_every_public_name_is_there_and_documented():
    for name in phase2.__all__:
        found = getattr(phase2, name)
        assert name in dir(phase2)
        assert name == "__version__" or found.__doc__
    assert {name for name in phase2.__all__ if name != "__version__"} == set(phase2._MODULES)


def test_type_checkers_see_what_is_imported_at_run_time():
    text = Path(phase2.__file__).read_text()
    block = text[text.index("if TYPE_CHECKING:") : text.index("__all__")]
    for name, module in phase2._MODULES.items():
        (found,) = re.findall(rf"from {re.escape(module)} import (\([^)]*\)|[^\n]*)", block)
        assert name in re.findall(r"\w+", found)
    assert (Path(phase2.__file__).parent / "py.typed").exists()


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = phase2.trian


@pytest.mark.parametrize(
    ("package", "extra", "code"),
    [
        ("torch", "train", "phase2.load_model"),
        ("pandas", "notebook", "phase2.load_dataset('sample').to_pandas()"),
    ],
)
def test_a_missing_package_is_answered_with_its_extra(package, extra, code):
    what, fix = fresh(
        f"import json, sys\nsys.modules[{package!r}] = None\nimport phase2\n"
        f"try:\n    {code}\nexcept ImportError as error:\n    print(json.dumps([error.what, error.fix]))"
    )
    assert package in what
    assert fix == f"pip install 'phase2[{extra}]'"
