"""The commands that make reservations: ``reserve`` and ``requeue``."""

from __future__ import annotations

import json

from bespeak import ids
from bespeak.clock import FOREVER_US, SECOND_US, now
from bespeak.dispatch import jsonform, store
from bespeak.dispatch.cli import check_text
from bespeak.dispatch.model import Status
from bespeak.dispatch.place import POSTGRES, open_store
from bespeak.dispatch.times import read_duration, read_instant
from bespeak.errors import BusyError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Never

    from bespeak.dispatch.cli import Caller
    from bespeak.dispatch.model import Job
    from bespeak.dispatch.store import Answer
    from bespeak.storage.port import Engine

_MOST_RETRIES = 1000
_LONGEST_KEY = 4096


def reserve(caller: Caller) -> int:
    """Store a reservation, or print the one that its run key has."""
    wish = _wish(caller)
    engine = open_store(caller.url)
    try:
        answer = store.reserve(engine, wish, ids.new_id())
        if answer.job.next_us >= FOREVER_US and answer.job.extras.get("needs") and not answer.job.booking_id:
            answer.job = _book(caller, engine, answer.job)
    finally:
        engine.close()
    form: dict[str, object] = {"created": answer.created, "reservation": jsonform.job_json(answer.job)}
    if answer.same_request is not None:
        form["same_request"] = answer.same_request
    form["dispatcher"] = answer.dispatcher
    jsonform.write(form)
    return 0


def _wish(caller: Caller) -> store.Wish:
    run_key = caller.text("run-key")
    if not run_key:
        raise UsageError("--run-key is required" if run_key is None else "--run-key must not be empty")
    if len(run_key) > _LONGEST_KEY:
        raise UsageError(f"--run-key: longer than {_LONGEST_KEY} characters")
    if not caller.given.command:
        raise UsageError("reserve requires command after --")
    now_us = now()
    instants = {name: _instant(caller, name, now_us) for name in ("not-before", "expires-at")}
    return store.Wish(
        run_key,
        caller.given.command,
        not_before=instants["not-before"],
        expires_at=instants["expires-at"],
        metadata=_metadata(caller.value("metadata-json")),
        options=_options(caller),
        site=caller.text("site") or "",
        extras=_extras(caller),
    )


def _instant(caller: Caller, name: str, now_us: int) -> int | None:
    text = caller.value(name)
    return None if text is None else read_instant(text, "--" + name, now_us)


def _options(caller: Caller) -> list[str]:
    options = caller.many("orchesjob-start-option")
    for option in options:
        check_text(option, "--orchesjob-start-option")
    return options


def _metadata(text: str | None) -> dict[str, object] | None:
    """Read ``--metadata-json`` strictly: what JSON does not have (NaN) or UTF-8 cannot say is refused."""
    if text is None:
        return None

    def no_constant(name: str) -> Never:
        raise ValueError(f"{name} is no JSON")

    try:
        found = json.loads(text, parse_constant=no_constant)
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        raise UsageError("--metadata-json: has a lone surrogate, which no text encoding can carry") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--metadata-json: must be a JSON object: {error}") from None
    if not isinstance(found, dict):
        raise UsageError("--metadata-json: must be a JSON object")
    return found


def _extras(caller: Caller) -> dict[str, object]:
    extras: dict[str, object] = {}
    if caller.many("env"):
        extras["env"] = dict(_setting(text) for text in caller.many("env"))
    cwd = caller.text("cwd")
    if cwd is not None:
        if not cwd.startswith("/"):
            raise UsageError(f"--cwd {cwd!a}: must be an absolute path, because the job starts elsewhere")
        extras["cwd"] = cwd
    retry = caller.value("retry")
    if retry is not None:
        extras["retry"] = read_number(retry, "--retry", 0, _MOST_RETRIES)
        extras["retry_delay_seconds"] = read_duration(caller.value("retry-delay") or "1s", "--retry-delay") / SECOND_US
    elif caller.value("retry-delay") is not None:
        raise UsageError("--retry-delay needs --retry")
    return extras | _needs(caller)


def _setting(text: str) -> tuple[str, str]:
    check_text(text, "--env")
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier() or not name.isascii():
        raise UsageError(f"--env {text!a}: expected NAME=VALUE")
    return name, value


def _needs(caller: Caller) -> dict[str, object]:
    needs = caller.many("needs")
    if not needs:
        for name in ("for", "as-user", "keep-needs"):
            if caller.value(name) is not None or caller.on(name):
                raise UsageError(f"--{name} needs --needs")
        return {}
    length = caller.value("for")
    if length is None:
        raise UsageError("--needs needs --for: how long the resources are booked")
    for_us = read_duration(length, "--for", smallest_us=SECOND_US)
    for name in needs:
        check_text(name, "--needs")
    from bespeak.dispatch.needs import this_user
    from bespeak.settings import ledger_url

    url = ledger_url(caller.value("ledger"))
    extras: dict[str, object] = {
        "needs": list(dict.fromkeys(needs)),
        "for_seconds": for_us / SECOND_US,
        "holder": caller.text("as-user") or this_user(),
    }
    if caller.on("keep-needs"):
        extras["keep_needs"] = True
    # A password must not end up in the reservation; a dispatcher is told about a server by its own --ledger.
    return extras if url.startswith(POSTGRES) else extras | {"ledger": url}


def _book(caller: Caller, engine: Engine, job: Job) -> Job:
    """Book what a new job needs; when that is refused, it is as if nothing had been asked."""
    try:
        booking_id, next_us = _booking(caller, job)
    except (BusyError, UsageError):
        store.withdraw(engine, job)
        raise
    return store.booked(engine, job, booking_id, next_us)


def _booking(caller: Caller, job: Job) -> tuple[str, int]:
    """Book what a job needs; return the booking and when a dispatcher is to look at the job, µs UTC."""
    from bespeak.dispatch.needs import book
    from bespeak.ledger import open_ledger
    from bespeak.settings import ledger_url

    named = caller.value("ledger") or job.extras.get("ledger")
    with open_ledger(ledger_url(str(named) if named else None)) as ledger:
        booking_id, starts_us = book(ledger, job, ledger.now_us())
    return booking_id, starts_us if job.not_before else 0


def read_number(text: str, flag: str, least: int, most: int) -> int:
    """Read a whole number in plain digits.

    Raises:
        UsageError: it is none, or out of bounds.
    """
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:  # noqa: PLR2004 -- what 64 bits hold
        raise UsageError(f"{flag} {text!a}: expected a whole number")
    found = int(text)
    if not least <= found <= most:
        raise UsageError(f"{flag} {text!a}: from {least} to {most}")
    return found


def requeue(caller: Caller) -> int:
    """Make a reservation that is over wait again; what it needs is booked anew, or nothing changes."""
    from bespeak.dispatch.one import Which, give_back_of

    which = Which(caller)
    now_us = now()
    not_before, expires_at = (_instant(caller, name, now_us) for name in ("not-before", "expires-at"))
    engine = open_store(caller.url)
    try:
        job = store.look(engine, run_key=which.run_key, reservation_id=which.reservation_id).job
        store.check_requeue(engine, job, force=caller.on("force"))
        job.not_before = not_before
        booking = None
        if job.extras.get("needs"):
            if job.reservation_status != Status.DISPATCHING:
                give_back_of(caller, job)  # it is over, and a dispatcher may be giving this back right now
            booking = _booking(caller, job)
        answer: Answer = store.requeue(
            engine, job, not_before=not_before, expires_at=expires_at, booking=booking, force=caller.on("force")
        )
    finally:
        engine.close()
    jsonform.write({"requeued": True, "reservation": jsonform.job_json(answer.job), "dispatcher": answer.dispatcher})
    return 0
