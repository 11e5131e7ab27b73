"""Every failure has an exit code of the one enum, and the enum costs nothing until it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bespeak.base import errors
from bespeak.base.errors import BespeakError, ExitCode


def every_error(kind: type[BespeakError] = BespeakError) -> list[type[BespeakError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in every_error(child))]


def test_each_error_carries_a_documented_code() -> None:
    elsewhere = {ExitCode.OK, ExitCode.HOLD_LOST}
    assert {ExitCode(kind.exit_code) for kind in every_error()} | elsewhere == set(ExitCode)


def test_the_documented_numbers() -> None:
    assert [(code.name, code.value) for code in ExitCode] == [
        ("OK", 0),
        ("ERROR", 1),
        ("USAGE", 2),
        ("NO_CONTEXT", 3),
        ("NOT_FOUND", 4),
        ("NOT_READY", 5),
        ("WRONG_STATE", 6),
        ("BUSY", 7),
        ("GATE_REFUSED", 8),
        ("UNAVAILABLE", 9),
        ("WAIT_TIMED_OUT", 10),
        ("HOLD_LOST", 11),
        ("NOT_ALLOWED", 12),
    ]


def test_errors_load_without_the_enum() -> None:
    code = "import bespeak.base.errors, sys; sys.exit('enum' in sys.modules)"
    assert (
        subprocess.run(
            [sys.executable, "-S", "-c", code], env={"PYTHONPATH": "src"}, cwd=_root(), check=False
        ).returncode
        == 0
    )


def _root() -> str:
    return str(errors.__file__).rpartition("/src/")[0]


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        errors.__getattr__("Nothing")


def test_details_travel_with_the_message() -> None:
    error = errors.BusyError("rack1 is held", holder="alice")
    assert (str(error), error.details, error.exit_code) == ("rack1 is held", {"holder": "alice"}, 7)
