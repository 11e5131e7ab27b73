"""The ledger as every door sees it (command line, gate, jobs, tools for agents, Python): one class, no logic."""

from __future__ import annotations

from bespeak.base.lazy_attributes import LaterModule
from bespeak.ledger.planning_methods import PlanningMethods

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bespeak.ledger import (
        administer,
        approvals,
        audit_log,
        grant,
        host_actions,
        keepalive,
        kick_notices,
        maintenance,
        modify,
        queries,
        resources,
        waiting,
    )
    from bespeak.ledger import listing_pages as pages
    from bespeak.ledger import queue as steps
    from bespeak.ledger.inventory import listing as inventory_listing
    from bespeak.ledger.inventory.compare import Difference
    from bespeak.ledger.inventory.model import Entry
    from bespeak.ledger.model import Holder
    from bespeak.ledger.policy import Policy
else:  # a short command loads the modules of the methods that it calls
    administer = LaterModule("bespeak.ledger.administer")
    approvals = LaterModule("bespeak.ledger.approvals")
    audit_log = LaterModule("bespeak.ledger.audit_log")
    grant = LaterModule("bespeak.ledger.grant")
    host_actions = LaterModule("bespeak.ledger.host_actions")
    keepalive = LaterModule("bespeak.ledger.keepalive")
    kick_notices = LaterModule("bespeak.ledger.kick_notices")
    maintenance = LaterModule("bespeak.ledger.maintenance")
    pages = LaterModule("bespeak.ledger.listing_pages")
    modify = LaterModule("bespeak.ledger.modify")
    queries = LaterModule("bespeak.ledger.queries")
    resources = LaterModule("bespeak.ledger.resources")
    waiting = LaterModule("bespeak.ledger.waiting")
    steps = LaterModule("bespeak.ledger.queue")
    inventory_listing = LaterModule("bespeak.ledger.inventory.listing")


class Ledger(PlanningMethods):
    """An open book: reserve, wait, change, look; a context manager that closes it."""

    # The methods are the functions of this package whose first argument is the open book.
    reserve = grant.reserve
    next_free = grant.next_free
    in_the_way = grant.in_the_way
    candidate_names = grant.candidate_names
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
    approve = approvals.approve
    refuse = approvals.refuse
    to_approve = approvals.to_approve
    touch = keepalive.touch
    take_kick_notices = kick_notices.take_kick_notices
    keep_alive = keepalive.keep_alive
    sign_of_life = keepalive.sign_of_life
    hold_in_force = keepalive.hold_in_force

    get = queries.get
    find = queries.find
    reservations = queries.reservations
    listing = queries.listing
    listing_pages = pages.listing_pages
    labels_of = queries.labels_of
    now_us = queries.now_us
    who = queries.who
    free = queries.free

    log = audit_log.log
    log_rows = audit_log.log_rows
    log_start = audit_log.log_start
    watch = audit_log.watch
    record_host_action = host_actions.record_host_action
    unended_actions = host_actions.unended_actions

    resource_list = resources.resource_list
    resource_set = resources.resource_set
    resource_remove = resources.resource_remove
    inventory = inventory_listing.inventory

    maintenance_add = maintenance.maintenance_add
    maintenance_list = maintenance.maintenance_list
    maintenance_cancel = maintenance.maintenance_cancel
    resource_mark = maintenance.resource_mark

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
            name: a key: ``admins``, ``approval_within``, ``default_for``, ``kickers``, ``priority``, ``quotas``,
                ``strict`` or ``teams``.
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

    def inventory_difference(self, wanted: Mapping[str, Entry], *, prune: bool = True) -> Difference:
        """Return what :meth:`inventory_sync` would do now; changes nothing.

        Args:
            wanted: the resources by name.
            prune: remove declared resources that ``wanted`` does not have.

        Raises:
            UsageError: a new name cannot be, or looks like another one.
        """
        from bespeak.ledger.inventory import sync

        return sync.difference(self, wanted, prune=prune)

    def inventory_sync(
        self, wanted: Mapping[str, Entry], by: Holder, *, prune: bool = True, revision: int | None = None
    ) -> Difference:
        """Make the inventory of the book what ``wanted`` describes; the book is strict from then on.

        What is in use keeps its seats and parts and is not removed; the result says so.

        Args:
            wanted: the resources by name.
            by: who asks.
            prune: remove declared resources that ``wanted`` does not have.
            revision: of the inventory for which this was decided; None for whichever there is.

        Raises:
            UsageError: a new name cannot be, or looks like another one; nothing was written.
            WrongStateError: the inventory has changed since ``revision``; nothing was written.
        """
        from bespeak.ledger.inventory import sync

        return sync.sync(self, wanted, by, prune=prune, revision=revision)

    def inventory_add(self, names: Iterable[str], by: Holder, table: Mapping[str, object]) -> list[Entry]:
        """Declare resources that are not declared yet, all or none, and return them.

        Args:
            names: which ones.
            by: who asks.
            table: what is declared about each, as a table of an inventory file has it.

        Raises:
            UsageError: a name or a value cannot be; nothing was written.
            WrongStateError: one is declared already.
        """
        from bespeak.ledger.inventory import edit

        return edit.add(self, names, by, table)

    def inventory_change(
        self, names: Iterable[str], by: Holder, table: Mapping[str, object], *, without: Iterable[str] = ()
    ) -> list[Entry]:
        """Change what is declared about resources, all or none, and return them as they are then.

        Args:
            names: which ones.
            by: who asks.
            table: what changes, as a table of an inventory file has it; labels are added to those that are there.
            without: keys of labels that go.

        Raises:
            UsageError: a value cannot be; nothing was written.
            NotFoundError: the book does not know one of them, or one has no such label.
            BusyError: what is booked does not allow it.
        """
        from bespeak.ledger.inventory import edit

        return edit.change(self, names, by, table, without=without)
