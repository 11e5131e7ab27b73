"""A list of reservations as text is what encoding each of them by itself gives."""

import json

from hypothesis import given
from hypothesis import strategies as st

from bespeak.base.json_text import printable_part
from bespeak.jobs.model import COLUMNS, JobReservation, Status
from bespeak.jobs.reservation_text import ReservationText
from bespeak.jobs.serialize import job_json

INDENT = "    "
WORDS = st.sampled_from(["nightly", "", 'a "quoted"\nword', "\x7f", "\x1b[31m", "Überlauf", "\udce9", "\\", "9" * 30])
SECONDS = st.integers(-(10**18), 10**18) | st.integers(0, 4_000_000_000)
JSON = st.recursive(st.none() | st.integers() | WORDS, lambda some: st.lists(some) | st.dictionaries(WORDS, some))


def maybe(some: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | some


def stored(some: st.SearchStrategy) -> st.SearchStrategy:
    return some.map(json.dumps)


RESERVATIONS = st.builds(
    JobReservation,
    **dict.fromkeys(COLUMNS, WORDS)
    | dict.fromkeys(("command_json", "orchesjob_start_options_json"), stored(st.lists(WORDS)))
    | dict.fromkeys(("job_id", "last_error", "owner", "booking_id", "runner", "outcome"), maybe(WORDS))
    | dict.fromkeys(("runner_home", "runner_host", "runner_version"), maybe(WORDS))
    | dict.fromkeys(("created_at", "updated_at", "seq", "next_us", "claim_no", "attempts"), SECONDS)
    | dict.fromkeys(("not_before", "expires_at", "dispatched_at", "exit_code", "ended_us"), maybe(SECONDS))
    | dict.fromkeys(("claimed_us", "first_claimed_us", "run_until_us", "stopped_us"), maybe(SECONDS))
    | {
        "reservation_status": st.sampled_from(Status),
        "metadata_json": maybe(stored(JSON)),
        "extras_json": maybe(stored(st.dictionaries(st.sampled_from(["env", "cwd", "retry", "needs"]), JSON))),
        "tags": st.sampled_from(["", ",a,", ",a,b,"]),
    },
)


@given(st.lists(RESERVATIONS, max_size=4))
def test_the_text_of_many_is_that_of_each(jobs: list[JobReservation]) -> None:
    many = ReservationText(INDENT)
    assert [many.of(job) for job in jobs] == [INDENT + printable_part(job_json(job), INDENT) for job in jobs]


def test_attempts_are_shown() -> None:
    values = dict.fromkeys(COLUMNS) | {
        "reservation_id": "r", "run_key": "k", "command_json": "[]", "reservation_status": Status.DISPATCHED,
        "orchesjob_start_options_json": "[]", "created_at": 0, "updated_at": 0, "attempts": 1, "site": "", "tags": "",
        "extras_json": '{"tries": [{"exit_code": 3, "ended_at": 5}], "retry": 2}',
    }  # fmt: skip
    text = json.loads(ReservationText("").of(JobReservation(**values)))
    assert text["tries"] == [{"attempt": 1, "exit_code": 3, "ended_at": 5, "ended_at_iso": "1970-01-01T00:00:05+00:00"}]
