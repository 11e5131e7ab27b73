"""The glossary has every state that a user sees, none that does not exist, and each word once."""

from __future__ import annotations

import json
import re
from enum import Enum
from pathlib import Path

import pytest

from bespeak.coord.merge.model import Verdict
from bespeak.coord.states import ClaimState
from bespeak.host.power.base import PowerState
from bespeak.host.status import Status as ActionStatus
from bespeak.jobs.model import Status as ReservationStatus
from bespeak.ledger.actions import Action
from bespeak.ledger.model import EndReason, Health, Mode, State
from bespeak.notices.model import Channel, Kind
from bespeak.runner.model import JobStatus

ROOT = Path(__file__).parents[2]
GLOSSARY = (ROOT / "docs" / "reference" / "glossary.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return GLOSSARY.split(f"## {title}\n")[1].split("\n## ")[0]


def words(text: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", text))


def values(*kinds: type[Enum]) -> set[str]:
    return {str(member.value) for kind in kinds for member in kind}


def sentence(title: str, begin: str) -> set[str]:
    return words(begin + section(title).split(begin)[1].split("\n\n")[0])


def test_states_of_reservations() -> None:
    assert sentence("Who holds what", "A reservation is ") == values(State, Mode)
    assert sentence("Who holds what", "The audit log says ") == values(Action)
    table = section("Who holds what").split("| end reason | the reservation |")[1].split("\n\n")[0]
    assert words(table) == values(EndReason) | {"expired"}


def test_states_of_hosts() -> None:
    assert sentence("The gate, hosts, power", "An action on a host ends with ") == {one.name for one in ActionStatus}
    row = next(line for line in GLOSSARY.splitlines() if line.startswith("| power state |"))
    assert words(row) == values(PowerState)


def test_health_notices_and_verdicts() -> None:
    rows = {line.split("|")[1].strip(): line.split("|")[2] for line in GLOSSARY.splitlines() if line.startswith("| ")}
    assert words(rows["health"]) == values(Health)
    assert words(rows["channel"]) == values(Channel)
    assert words(rows["verdict"]) == values(Verdict)
    assert sentence("Planning and being told", "A notice is about ") == values(Kind)


def test_states_of_claims_and_jobs() -> None:
    assert sentence("Claims on code", "A claim is ") == set(ClaimState)
    assert sentence("Jobs", "A job reservation is ") == values(ReservationStatus, JobStatus)


def test_what_json_says_in_another_word_is_a_key() -> None:
    page = (ROOT / "docs" / "reference" / "json.md").read_text(encoding="utf-8")
    form = json.loads(page.split("## reserve\n")[1].split("```json\n")[1].split("```")[0])
    for key in ("starts", "ends", "holder", "acting", "mode", "number", "ended_why"):
        assert key in form
        assert f"`{key}`" in section("Who holds what")


def test_each_word_is_explained_once() -> None:
    firsts = re.findall(r"^\| ([\w ,()-]+?) \|", GLOSSARY, re.MULTILINE)
    terms = [term.strip() for first in firsts for term in re.split(r"[,(]", first.replace(")", ""))]
    terms = [term for term in terms if term not in {"word", "---", "end reason"}]
    assert len(terms) > 40
    assert sorted(terms) == sorted(set(terms))


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_it_is_linked(page: str) -> None:
    assert "docs/reference/glossary.md" in (ROOT / page).read_text(encoding="utf-8")
