"""Each claim of the security page names the test that holds it; the tests are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "explanation" / "security.md").read_text(encoding="utf-8")


def test_every_file_of_tests_that_is_named_exists():
    named = set(re.findall(r"`(tests/[\w/.]+?)(?:::\w+)?`", TEXT))
    assert len(named) > 40
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


def test_every_test_that_is_named_exists():
    named = set(re.findall(r"`(?:tests/[\w/.]+::)?(test_\w+)`", TEXT))
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    defined = set(re.findall(r"def (test_\w+)", sources))
    assert len(named) > 20
    assert sorted(named - defined) == []
