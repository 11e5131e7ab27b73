"""The ledger as every door sees it (command line, gate, jobs, tools for agents, Python): one class, no logic."""

from __future__ import annotations

from bespeak.ledger import administer, audit_log, grant, modify, queries, resources, waiting
from bespeak.ledger import queue as steps
from bespeak.ledger.context import LedgerContext
from bespeak.ledger.inventory.read import inventory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.ledger.model import Holder
    from bespeak.ledger.policy import Policy


class Ledger(LedgerContext):
    """An open book: reserve, wait, change, look; a context manager that closes it."""

    # The methods are the functions of this package whose first argument is the open book.
    reserve = grant.reserve
    next_free = grant.next_free
    in_the_way = grant.in_the_way
    queue = waiting.wait_in_queue
    queue_join = steps.queue_join
    queue_look = steps.queue_look
    queue_lapsed = steps.queue_lapsed
    queue_leave = steps.queue_leave

    extend = modify.extend
    shorten = modify.shorten
    release = modify.release
    release_resources = modify.release_resources
    release_mine = modify.release_mine
    kick = modify.kick
    keep_alive = modify.keep_alive
    hold_in_force = modify.hold_in_force

    get = queries.get
    find = queries.find
    reservations = queries.reservations
    now_us = queries.now_us
    who = queries.who
    free = queries.free

    log = audit_log.log
    log_rows = audit_log.log_rows
    log_start = audit_log.log_start
    watch = audit_log.watch

    resource_list = resources.resource_list
    resource_set = resources.resource_set
    resource_remove = resources.resource_remove
    inventory = inventory

    token_create = administer.token_create
    token_list = administer.token_list
    token_revoke = administer.token_revoke
    rights_grant = administer.rights_grant
    rights_revoke = administer.rights_revoke
    rights_list = administer.rights_list
    rights_group = administer.rights_group
    rights_map = administer.rights_map
    rights_check = administer.rights_check

    def policy_set(self, name: str, value: object, by: Holder, *, is_owner: bool | None = None) -> Policy:
        """Let the book decide something, or decide it otherwise; the change is in the log.

        Args:
            name: a key: ``admins``, ``default_for``, ``kickers``, ``priority``, ``strict`` or ``teams``.
            value: as JSON has it; the reference of the settings says what each key takes.
            by: who asks.
            is_owner: who asks owns the book; None finds out whether this process does.

        Raises:
            UsageError: there is no such key, the value cannot be, or nobody could change it back.
            BusyError: who asks may not change the policy.
        """
        from bespeak.ledger import policy_changes

        return policy_changes.change(self, name, value, by, is_owner=is_owner)

    def policy_unset(self, name: str, by: Holder, *, is_owner: bool | None = None) -> Policy:
        """Let the book say nothing about something, so that settings count again; as :meth:`policy_set`."""
        from bespeak.ledger import policy_changes

        return policy_changes.unset(self, name, by, is_owner=is_owner)
