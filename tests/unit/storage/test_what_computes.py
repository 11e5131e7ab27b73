"""Books whose tables compute are not read, so no step of ours may make a table that looks like one."""

import pytest

from bespeak.access.schema import ACCESS
from bespeak.coord.schema import COORD
from bespeak.integrations.calendar_links import CALENDARS
from bespeak.ledger.schema import LEDGER
from bespeak.notices.schema import NOTICES
from bespeak.runner.store import COMPONENT as RUNNER
from bespeak.storage.migrations import Component
from bespeak.storage.sqlite import SqliteEngine

COMPONENTS = [ACCESS, CALENDARS, COORD, LEDGER, NOTICES, RUNNER]


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda each: each.name)
def test_what_each_step_makes_can_be_opened(component, tmp_path):
    for count in range(1, len(component.steps) + 1):
        older = Component(component.name, component.steps[:count], steady_time=component.steady_time)
        for _ in "made", "opened":
            SqliteEngine(str(tmp_path / str(count)), [older]).close()


def test_a_book_is_opened_while_it_is_upgraded_step_by_step(tmp_path):
    for count in range(1, len(LEDGER.steps) + 1):
        SqliteEngine(str(tmp_path / "book"), [Component(LEDGER.name, LEDGER.steps[:count])]).close()
