"""The check, the gate of a command, and the report behind both."""

from __future__ import annotations

import logging

import pytest
from gate_helpers import Ctx, DuckLab, Host, Recorder

from bespeak import configmodule
from bespeak.base.clock import FOREVER_US
from bespeak.base.errors import NoContextError, UsageError
from bespeak.labs import Lab
from bespeak.reservations import (
    MissingReservationError,
    NullReservationBackend,
    ReservationBackendError,
    ReservationState,
    ResolvedIdentity,
    check_reservations,
    evaluate,
    gate,
    required_resources,
)
from bespeak.reservations.errors import SKIP_HINT, backend_failure_lines
from bespeak.reservations.evaluation import whoami
from bespeak.reservations.report import report_json, until_when

ALICE = ResolvedIdentity("alice", "$USER")


def demo(*resources: str) -> Lab:
    return Lab("demo", set(resources or ("rack1", "rack2")))


class TestRequiredResources:
    def test_a_lab_and_its_hosts_by_id(self):
        lab = DuckLab("x", {"a"}, {"h1": Host("b"), "h2": Host("b", "c")})
        assert required_resources(lab) == {"a", "b", "c"}

    def test_hosts_may_be_a_plain_list(self):
        assert required_resources(DuckLab("x", set(), [Host("b")])) == {"b"}

    def test_the_answer_is_not_the_labs_own_set(self):
        lab = demo()
        required_resources(lab).add("more")
        assert lab.resources == {"rack1", "rack2"}


class TestCheckReservations:
    def test_who_holds_everything_may_go_on_after_one_question(self):
        backend = Recorder({"rack1": ["alice"], "rack2": ["bob", "alice"]})
        check_reservations(demo(), "alice", backend)
        assert backend.asked == [("held", "alice")]

    def test_a_refusal_says_exactly_this(self):
        backend = Recorder({"rack1": ["alice", "bob"]})
        with pytest.raises(MissingReservationError) as caught:
            check_reservations(DuckLab("demo", {"rack9", "rack1"}), "nobody", backend)
        assert str(caught.value) == (
            "User 'nobody' does not hold all resources required by lab 'demo'. Missing:\n"
            "  - rack1 (held by alice, bob)\n"
            "  - rack9 (unreserved)"
        )

    def test_holders_are_asked_for_each_missing_resource_in_sorted_order(self):
        backend = Recorder({"b": ["alice"]})
        with pytest.raises(MissingReservationError):
            check_reservations(demo("c", "a", "b", "B"), "alice", backend)
        assert backend.asked == [("held", "alice"), ("who", "B"), ("who", "a"), ("who", "c")]

    def test_a_lab_without_resources_is_not_asked_about(self):
        backend = Recorder()
        check_reservations(Lab("empty"), "alice", backend)
        assert backend.asked == []

    def test_the_null_backend_lets_everybody_in(self):
        check_reservations(demo(), "alice", NullReservationBackend())

    def test_the_name_of_the_user_is_passed_through_unchanged(self):
        backend = Recorder()
        with pytest.raises(MissingReservationError, match=r"User ' Alice\\n'"):
            check_reservations(demo(), " Alice\n", backend)
        assert backend.asked[0] == ("held", " Alice\n")

    def test_resources_are_compared_exactly(self):
        backend = Recorder({"Rack1": ["alice"], "rack2 ": ["alice"]})
        with pytest.raises(MissingReservationError, match=r"rack1.*\n.*rack2"):
            check_reservations(demo(), "alice", backend)

    def test_the_refusal_carries_its_facts_for_programs(self):
        with pytest.raises(MissingReservationError) as caught:
            check_reservations(demo(), "alice", Recorder({"rack1": ["bob"]}))
        assert caught.value.details["missing"][0]["holders"][0]["username"] == "bob"


class Nonsense(Recorder):
    """A backend whose answers have the wrong shape."""

    def __init__(self, held, who=None):
        super().__init__()
        self.held, self.who = held, who

    def get_reserved_resources(self, username):
        if isinstance(self.held, BaseException):
            raise self.held
        return self.held

    def who_reserved(self, resource):
        if isinstance(self.who, BaseException):
            raise self.who
        return self.who


class TestABrokenBackendShutsTheGate:
    @pytest.mark.parametrize(
        "held", [None, "rack1 rack2", ["rack1", "rack2"], {"rack1": 1}, RuntimeError("x"), KeyError(), SystemExit(0),
                 RecursionError(), MemoryError(), OSError(5, "I/O"), AssertionError(), StopIteration()]
    )  # fmt: skip
    def test_whatever_it_answers_or_raises(self, held):
        with pytest.raises(ReservationBackendError, match=r"'recorder' backend"):
            check_reservations(demo(), "alice", Nonsense(held))

    @pytest.mark.parametrize("who", [None, "bob", [1], {"bob"}, RuntimeError("x"), SystemExit(0)])
    def test_holders_too(self, who):
        with pytest.raises(ReservationBackendError, match=r"who_reserved"):
            check_reservations(demo(), "alice", Nonsense(set(), who))

    @pytest.mark.parametrize("missing", ["get_reserved_resources", "backend_name"])
    def test_a_method_that_is_not_there(self, missing):
        backend = Recorder()
        setattr(backend, missing, None)
        with pytest.raises(ReservationBackendError):
            check_reservations(demo(), "alice", backend)

    def test_a_stray_exception_does_not_tell_its_text_but_stays_attached(self):
        secret = RuntimeError("https://user:hunter2@scheduler")
        with pytest.raises(ReservationBackendError) as caught:
            check_reservations(demo(), "alice", Nonsense(secret))
        assert "hunter2" not in str(caught.value)
        assert (
            str(caught.value)
            == "the 'recorder' backend failed in get_reserved_resources: RuntimeError (details with --debug)"
        )
        assert caught.value.__cause__ is secret

    def test_an_error_of_the_documented_name_from_elsewhere_tells_its_text(self):
        foreign = type("ReservationBackendError", (Exception,), {})
        with pytest.raises(ReservationBackendError, match=r"^scheduler is down$"):
            check_reservations(demo(), "alice", Nonsense(foreign("scheduler is down")))

    def test_an_interrupt_stays_an_interrupt(self):
        with pytest.raises(KeyboardInterrupt):
            check_reservations(demo(), "alice", Nonsense(KeyboardInterrupt()))

    def test_the_hint_goes_with_the_backends_failure_in_two_lines(self):
        lines = backend_failure_lines(ReservationBackendError("down\nsince \x1b[31mnoon"))
        assert lines == ["Reservation backend unavailable: down since \\x1b[31mnoon", SKIP_HINT]
        assert "-R" in SKIP_HINT
        assert "--skip-reservation-check" in SKIP_HINT


class TestGate:
    def test_without_state_nothing_happens(self):
        gate(Ctx())

    def test_without_a_backend_no_lab_is_needed(self):
        gate(Ctx(otto_reservation=ReservationState(identity=ALICE)))
        gate(Ctx(otto_reservation=ReservationState(NullReservationBackend(), ALICE)))

    def test_the_lab_is_fetched_when_the_gate_is_called(self):
        context = Ctx(otto_reservation=ReservationState(Recorder({"rack1": ["alice"]}), ALICE))
        with pytest.raises(NoContextError, match=r"no lab is active"):
            gate(context)
        configmodule.set_lab(demo("rack1"))
        gate(context)
        configmodule.set_lab(demo("rack2"))
        with pytest.raises(MissingReservationError, match="rack2"):
            gate(context)

    def test_a_lab_may_be_loaded_when_it_is_first_needed_and_only_once(self):
        loads = []
        configmodule.set_lab_loader(lambda: loads.append(1) or demo("rack1"))
        context = Ctx(otto_reservation=ReservationState(Recorder({"rack1": ["alice"]}), ALICE))
        assert loads == []
        gate(context)
        gate(context)
        assert loads == [1]

    def test_skipping_is_loud_and_asks_nobody(self, capsys, caplog):
        configmodule.set_lab(demo("b", "a"))
        backend = Recorder()
        with caplog.at_level(logging.WARNING):
            gate(Ctx(otto_reservation=ReservationState(backend, ALICE, skip_check=True)))
        line = "⚠  Reservation check SKIPPED for user 'alice' on lab 'demo'. Required resources: ['a', 'b']"
        assert capsys.readouterr().err == line + "\n"
        (record,) = caplog.records
        assert record.levelno == logging.WARNING
        assert record.msg == "Reservation check skipped for user %r on lab %r. Required: %r"
        assert record.args == ("alice", "demo", ["a", "b"])
        assert backend.asked == []

    def test_skipping_without_an_identity(self, capsys):
        configmodule.set_lab(demo("a"))
        gate(Ctx(otto_reservation=ReservationState(skip_check=True)))
        assert "for user '<unknown>' on lab 'demo'" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("terminal", "no_color", "bold_red"), [(True, "", True), (True, "1", False), (False, "", False)]
    )
    def test_bold_red_only_on_a_terminal_that_wants_colours(self, capsys, monkeypatch, terminal, no_color, bold_red):
        import sys

        monkeypatch.setenv("NO_COLOR", no_color)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
        configmodule.set_lab(demo("a"))
        gate(Ctx(otto_reservation=ReservationState(identity=ALICE, skip_check=True)))
        assert ("\x1b[1;31m" in capsys.readouterr().err) == bold_red

    def test_a_backend_without_an_identity_shuts_the_gate(self):
        configmodule.set_lab(demo())
        with pytest.raises(UsageError, match=r"identity"):
            gate(Ctx(otto_reservation=ReservationState(Recorder())))


class TestReport:
    def test_a_refusal(self):
        report = evaluate(ReservationState(Recorder({"rack1": ["alice"], "rack2": ["bob"]}), ALICE), demo())
        assert not report.allowed
        assert (report.required, report.held) == (("rack1", "rack2"), ("rack1",))
        assert [(each.resource, [holder.username for holder in each.holders]) for each in report.missing] == [
            ("rack2", ["bob"])
        ]
        assert report.text.endswith("  - rack2 (held by bob)")

    def test_an_allowance(self):
        report = evaluate(ReservationState(Recorder({"rack1": ["alice"]}), ALICE), demo("rack1"))
        assert report.allowed
        assert report.checked
        assert report.text == "User 'alice' holds all resources required by lab 'demo'."

    def test_nothing_required(self):
        report = evaluate(ReservationState(Recorder(), ALICE), Lab("free"))
        assert report.allowed
        assert report.checked
        assert report.text == "Nothing had to be checked: lab 'free' requires no resources."

    def test_skipped_unless_the_question_is_asked_all_the_same(self):
        built = []
        state = ReservationState(None, ALICE, skip_check=True, backend_factory=lambda: built.append(1) or Recorder())
        assert evaluate(state, demo()).skipped
        assert built == []
        assert not evaluate(state, demo(), even_if_skipped=True).allowed
        assert built == [1]

    def test_optional_capabilities_are_used(self):
        class Quick(Recorder):
            def held_among(self, username, resources):
                self.asked.append(("among", *sorted(resources)))
                return {"rack1"}

            def holder_ends(self, resource):
                return [("bob", 5_000_000), ("eve", FOREVER_US), ("joe", None)]

        backend = Quick()
        report = evaluate(ReservationState(backend, ALICE), demo())
        assert backend.asked == [("among", "rack1", "rack2")]
        assert report.text.endswith("  - rack2 (held by bob, eve, joe)")
        nowhere = {"where": None, "seen": None}
        assert report_json(report)["missing"][0]["holders"] == [
            {"username": "bob", "until": "1970-01-01T00:00:05+00:00", "open_ended": False, **nowhere},
            {"username": "eve", "until": None, "open_ended": True, **nowhere},
            {"username": "joe", "until": None, "open_ended": False, **nowhere},
        ]

    def test_what_uses_it_is_told_where_the_backend_knows(self):
        backend = Recorder()
        backend.holder_ends = lambda resource: [("bob", FOREVER_US), ("eve", None)]
        backend.users_of = lambda resources: {"rack2": [("bob", "pid 7 on lab1", 5_000_000), ("eve", "", 5_000_000)]}
        report = evaluate(ReservationState(backend, ALICE), demo())
        [rack2] = [each for each in report.missing if each.resource == "rack2"]
        assert [(each.where, each.seen) for each in rack2.holders] == [("pid 7 on lab1", 5_000_000), ("", 0)]
        assert any("rack2: bob [pid 7 on lab1, seen " in line for line in until_when(report))
        assert "pid 7" not in report.text

    @pytest.mark.parametrize("users", [None, {"rack2": None}, {"rack2": [("bob",)]}, {"rack2": [("bob", "", None)]}])
    def test_nonsense_about_what_uses_it_shuts_the_gate(self, users):
        backend = Recorder()
        backend.users_of = lambda resources: users
        with pytest.raises(ReservationBackendError, match="users_of"):
            evaluate(ReservationState(backend, ALICE), demo())

    @pytest.mark.parametrize("pairs", [None, [("bob",)], [("bob", "noon")], [(1, None)], "x"])
    def test_nonsense_from_a_capability_shuts_the_gate(self, pairs):
        backend = Recorder()
        backend.holder_ends = lambda resource: pairs
        with pytest.raises(ReservationBackendError, match="holder_ends"):
            evaluate(ReservationState(backend, ALICE), demo())

    def test_a_backend_that_answers_in_one_look_is_asked_once(self):
        backend = Recorder()
        backend.holdings = lambda username, resources: ({"rack1"}, {"rack2": [("bob", None)]})
        report = evaluate(ReservationState(backend, ALICE), demo())
        assert report.held == ("rack1",)
        assert report.text.endswith("  - rack2 (held by bob)")
        assert backend.asked == []

    @pytest.mark.parametrize(
        "answer",
        [None, (), ({"rack1"},), (["rack1"], {}), ({"rack1"}, []), ({"rack1"}, {}), ({"rack1"}, {"rack2": "bob"}), (set(), {"rack1": [], "rack2": [1]})],
    )  # fmt: skip
    def test_nonsense_in_one_look_shuts_the_gate(self, answer):
        backend = Recorder()
        backend.holdings = lambda username, resources: answer
        with pytest.raises(ReservationBackendError, match="holdings"):
            evaluate(ReservationState(backend, ALICE), demo())

    def test_the_json_form(self):
        found = report_json(evaluate(ReservationState(Recorder({"rack1": ["alice"]}), ALICE), demo("rack1")))
        assert found == {
            "lab": "demo", "username": "alice", "allowed": True, "checked": True, "skipped": False, "backend": "recorder",
            "decided_by": None, "within": None, "book": None, "required": ["rack1"], "held": ["rack1"], "missing": [],
            "text": "User 'alice' holds all resources required by lab 'demo'.",
        }  # fmt: skip

    def test_whoami(self):
        assert whoami(ReservationState(Recorder(), ALICE)) == {
            "username": "alice", "source": "$USER", "backend": "recorder", "lab": None
        }  # fmt: skip
        assert whoami(ReservationState(), "demo") == {
            "username": None,
            "source": None,
            "backend": "none",
            "lab": "demo",
        }
