"""The public names: what they cost, that each is there, and that the reference page is the one the code gives."""

import subprocess
import sys
from pathlib import Path

import bespeak
from support import pythonpage

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "python.md"


def test_the_page_is_the_one_that_the_code_gives():
    message = "docs/reference/python.md is out of date: python tests/support/pythonpage.py"
    assert REFERENCE.read_text(encoding="utf-8") == pythonpage.page(), message


def test_importing_bespeak_loads_nothing_else():
    program = "import sys; before = set(sys.modules); import bespeak; print(sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert eval(done.stdout) == ["bespeak"]


def test_every_public_name_is_loaded_and_listed():
    for name in bespeak.__all__:
        assert getattr(bespeak, name).__doc__
        assert name in dir(bespeak)
    assert not hasattr(bespeak, "open_ledger")


def test_every_public_name_is_one_that_type_checkers_see():
    source = Path(bespeak.__file__).read_text(encoding="utf-8")
    seen = {line.split()[-1] for line in source.splitlines() if line.startswith("    from bespeak.") and " as " in line}
    assert seen == set(bespeak.__all__)


def test_errors_of_the_public_api_are_one_family():
    errors = [getattr(bespeak, name) for name in bespeak.__all__ if name.endswith("Error")]
    assert all(issubclass(error, bespeak.BespeakError) for error in errors)
