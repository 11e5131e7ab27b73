"""Errors as problem documents, and back."""

import json

import pytest

from bespeak.base import errors
from bespeak.coord.errors import ClaimError, ClaimRefusedError
from bespeak.coord.model import Conflict
from bespeak.ledger.errors import RefusedError, UndeclaredError
from bespeak.ledger.model import Booking, Holder, Mode, Refusal, Request
from bespeak.ledger.problems import ERRORS, from_problem, to_problem

TAKEN = Booking("rack", "bob", "id", Mode.EXCLUSIVE, 1, 2**62)
CONFLICT = Conflict("a.py", "a.py", "run", "sha256:1", 5, None, "same", 1)


def there_and_back(error):
    return from_problem(json.loads(json.dumps(to_problem(error))))


@pytest.mark.parametrize(
    "error",
    [
        errors.UsageError("give ", errors.Field("run_id"), " too"),
        errors.NotFoundError("no reservation", nearest=["a"]),
        errors.WrongStateError("it ended"),
        errors.OutcomeUnknownError("lost"),
        errors.LockedError("locked"),
        errors.WaitTimedOutError("late"),
        errors.BespeakError("odd"),
        RefusedError(Refusal((TAKEN,), 7), Request(("rack",), Holder("alice"), tags=(("a", "b"),))),
        UndeclaredError("rak", ["rack"]),
        ClaimError(field="key", reason="is taken", run_id="x"),
        ClaimRefusedError([CONFLICT], "run", ("a.py",)),
    ],
)
def test_an_error_survives_the_journey(error):
    found = there_and_back(error)
    assert type(found) is type(error)
    assert str(found) == str(error)
    assert found.__dict__ == error.__dict__
    assert found.spelled(str.upper) == error.spelled(str.upper)
    assert found.exit_code == error.exit_code


def test_a_class_without_a_code_is_told_as_its_ancestor():
    class OddError(errors.NotFoundError):
        pass

    assert type(there_and_back(OddError("gone"))) is errors.NotFoundError


def test_a_code_of_a_newer_server_is_known_by_its_exit_code():
    found = from_problem({"code": "brand_new", "exit_code": 7, "detail": "taken"})
    assert type(found) is errors.BusyError
    assert str(found) == "taken"
    assert str(from_problem({"title": "Not Found"})) == "Not Found"


def test_each_code_is_of_a_class():
    for code in ERRORS:
        if code not in ("refused", "undeclared", "claim_refused", "host_busy", "not_allowed"):
            assert from_problem({"code": code, "detail": "x"}).exit_code
