"""Job reservations as JSON text, thousands of them: what many have in common is encoded once.

The text is that of :func:`bespeak.jobs.serialize.job_json`. Encoding each reservation by itself would take ten times as
long as reading it: most have the command, the metadata and the runner of others, and all have the same keys.
"""

from __future__ import annotations

from bespeak.base import json_text
from bespeak.base.clock import SECOND_US
from bespeak.base.json_text import quote_utf8
from bespeak.jobs import serialize
from bespeak.jobs.contract_times import iso_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable

    from bespeak.jobs.model import JobReservation

_MOST_KEPT = 10_000
_NULL = "null"


class ReservationText:
    """Encodes reservations as parts of a document.

    Args:
        indent: what stands before every line.
    """

    def __init__(self, indent: str) -> None:
        self._indent = indent
        self._inner = indent + "  "
        self._between = ",\n" + self._inner
        self._kept: dict[Hashable, str] = {}

    def of(self, job: JobReservation) -> str:
        """Return the text of one reservation, which any stream and any terminal can take."""
        text = self._text(job)
        if text.isascii():
            return text
        return self._indent + json_text.printable_part(serialize.job_json(job), self._indent)

    def _text(self, job: JobReservation) -> str:
        parts = [
            self._identity(job),
            self._what(job),
            *(self._instant(name, getattr(job, name)) for name in serialize.INSTANTS),
            self._state(job),
        ]
        if job.outcome:
            parts.append(self._end(job))
        if additions := self._additions(job):
            parts.append(additions)
        return f"{self._indent}{{\n{self._inner}{self._between.join(parts)}\n{self._indent}}}"

    def _identity(self, job: JobReservation) -> str:
        job_id = _NULL if job.job_id is None else quote_utf8(job.job_id)
        texts = (
            f'"reservation_id": {quote_utf8(job.reservation_id)}',
            f'"run_key": {quote_utf8(job.run_key)}',
            f'"reservation_status": "{job.reservation_status}"',
            f'"job_id": {job_id}',
        )
        return self._between.join(texts)

    def _what(self, job: JobReservation) -> str:
        key = (job.command_json, job.orchesjob_start_options_json, job.metadata_json)
        return self._kept.get(key) or self._keep(key, serialize.what_json(job))

    def _instant(self, name: str, seconds: int | None) -> str:
        text = None if seconds is None else iso_seconds(seconds)
        if text is None:
            return f'"{name}": {_NULL if seconds is None else seconds},\n{self._inner}"{name}_iso": null'
        return f'"{name}": {seconds},\n{self._inner}"{name}_iso": "{text}"'

    def _state(self, job: JobReservation) -> str:
        key = (job.last_error, job.attempts, job.site, job.tags)
        return self._kept.get(key) or self._keep(key, serialize.state_json(job))

    def _end(self, job: JobReservation) -> str:
        ended_at = None if job.ended_us is None else job.ended_us // SECOND_US
        texts = (
            f'"outcome": {quote_utf8(job.outcome or "")}',
            f'"exit_code": {_NULL if job.exit_code is None else job.exit_code}',
            self._instant("ended_at", ended_at),
        )
        return self._between.join(texts)

    def _additions(self, job: JobReservation) -> str:
        runner = (job.runner, job.runner_home, job.runner_host, job.runner_version)
        key = (job.stopped_us, *runner, job.booking_id, job.extras_json)
        return self._kept.get(key) or self._keep(key, serialize.additions_json(job))

    def _keep(self, key: Hashable, form: dict[str, object]) -> str:
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[key] = text = self._encode(form)
        return text

    def _encode(self, form: dict[str, object]) -> str:
        """Return the entries of an object without its braces; nothing for none."""
        text = json_text.indented(form, self._indent, quote_utf8)
        return text[len(self._inner) + 2 : -len(self._indent) - 2] if form else ""
