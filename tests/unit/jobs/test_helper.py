"""The helper of the embedded runner, when it works and when it does not: no call is left without an answer."""

import os
import select
import sys

import pytest

from bespeak.jobs.runner_client.helper import HelperStarter
from bespeak.jobs.runner_client.replies import Reply
from support.job_sites import until

PLAIN = '#!/bin/sh\n[ "$1" = serve ] || { echo "program $*"; exit 0; }\n'


@pytest.fixture
def helper(tmp_path):
    """A function that makes a starter of a script (what comes after the check for ``serve``)."""
    made = []

    def make(text: str) -> HelperStarter:
        path = tmp_path / f"helper{len(made)}"
        path.write_text(PLAIN + text)
        path.chmod(0o755)
        made.append(HelperStarter((str(path),), dict(os.environ)))
        return made[-1]

    yield make
    for starter in made:
        starter.close()


def answers(starter: HelperStarter, count: int = 1) -> dict[int, Reply]:
    found: dict[int, Reply] = {}

    def more() -> bool:
        starter.flush()
        select.select([starter.fileno()], [], [], min(starter.next_seconds() or 0.05, 0.05))
        found.update(starter.take())
        return len(found) >= count

    until(more)
    return found


def test_answers_come_in_any_order(helper) -> None:
    starter = helper(
        'read a; read b\necho \'{"n": 2, "code": 3, "out": "", "err": "no"}\'\n'
        'echo nonsense\necho \'{"n": 1, "code": 0, "out": "yes", "err": ""}\'\nread c\n'
    )
    starter.submit(1, ["start"], 60)
    starter.submit(2, ["status"], 60)
    found = answers(starter, 2)
    assert (found[1].code, found[1].out) == (0, "yes")
    assert (found[2].code, found[2].err) == (3, "no")


def test_a_helper_that_dies_answers_not_known_and_is_started_again(helper, tmp_path) -> None:
    starter = helper(
        f"[ -e {tmp_path}/died ] || {{ read a; touch {tmp_path}/died; exit 1; }}\n"
        'read a; echo \'{"n": 2, "code": 0, "out": "again", "err": ""}\'; read b\n'
    )
    starter.submit(1, ["start"], 60)
    assert answers(starter)[1].code is None
    starter.submit(2, ["start"], 60)
    assert answers(starter)[2].out == "again"


def test_a_helper_that_never_works_is_replaced_by_programs(helper) -> None:
    starter = helper("exit 1\n")
    for token in range(3):
        starter.submit(token, ["start"], 60)
        assert answers(starter)[token].code is None
    starter.submit(9, ["start", "x"], 60)
    assert answers(starter)[9].out == "program start x\n"


def test_a_call_that_takes_too_long_ends_the_helper(helper) -> None:
    starter = helper("read a; read b; exec sleep 3600\n")
    starter.submit(1, ["start"], 0.05)
    starter.submit(2, ["start"], 3600)
    found = answers(starter, 2)
    assert "took longer than 0.05 s" in found[1].note
    assert found[2].code is None


def test_a_request_larger_than_a_pipe(helper) -> None:
    starter = helper('read -r a; printf \'{"n": 1, "code": 0, "out": "%s", "err": ""}\\n\' "${#a}"; read b\n')
    starter.submit(1, ["start", "x" * 1_000_000], 60)
    assert int(answers(starter)[1].out) > 1_000_000


def test_the_real_one_starts_and_knows_its_keys(tmp_path) -> None:
    environ = os.environ | {"ORCHESJOB_HOME": str(tmp_path / "home")}
    starter = HelperStarter((sys.executable, "-m", "bespeak.runner"), environ)
    try:
        words = [
            "start",
            "--run-key",
            "k",
            "--idempotency-key",
            "i",
            "--",
            "/bin/echo",
            b"\xff".decode("utf-8", "surrogateescape"),
        ]
        for token in (1, 2):
            starter.submit(token, words, 60)
            reply = answers(starter)[token]
            assert reply.code == 0, reply.err
        starter.submit(3, ["status", "--idempotency-key", "nobody"], 60)
        assert answers(starter)[3].code == 3
        starter.submit(4, ["start", "--sync"], 60)
        assert answers(starter)[4].code == 2
        starter.submit(5, ["clean", "--all"], 60)
        assert answers(starter)[5].code == 0, "what the helper does not know is done by a program of its own"
        starter.submit(6, [], 60)
        assert answers(starter)[6].code == 2
    finally:
        starter.close()


def test_requests_are_sent_when_it_is_said_and_all_at_once(helper) -> None:
    """The helper reads once; two writes would be two reads."""
    starter = helper(
        'dd bs=65536 count=1 2>/dev/null | grep -c argv | sed \'s/.*/{"n": 1, "code": 0, "out": "&", "err": ""}/\'\nread b\n'
    )
    starter.submit(1, ["start"], 60)
    starter.submit(2, ["status"], 60)
    assert answers(starter)[1].out == "2"


def test_a_helper_can_be_had_before_it_is_needed(helper, tmp_path) -> None:
    begun = tmp_path / "begun"
    starter = helper(f'touch {begun}; read a; echo \'{{"n": 1, "code": 0, "out": "", "err": ""}}\'; read b\n')
    assert not starter.is_ready
    starter.get_ready()
    assert starter.is_ready
    until(begun.exists)
    starter.submit(1, ["start"], 60)
    assert answers(starter)[1].code == 0
