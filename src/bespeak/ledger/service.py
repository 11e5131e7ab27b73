"""The ledger as every door sees it (command line, gate, jobs, tools for agents, Python): one class, no logic."""

from __future__ import annotations

from bespeak.base.lazy_attributes import LaterModule
from bespeak.ledger.context import LedgerContext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.ledger import (
        administer,
        approvals,
        audit_log,
        batches,
        grant,
        handing_over,
        host_actions,
        keepalive,
        kick_notices,
        maintenance,
        modify,
        policy_changes,
        queries,
        rebooking,
        releasing,
        resources,
        waiting,
    )
    from bespeak.ledger import listing_pages as pages
    from bespeak.ledger import queue as steps
    from bespeak.ledger.inventory import edit, sync
    from bespeak.ledger.inventory import listing as inventory_listing
else:  # a short command loads the modules of the methods that it calls
    administer = LaterModule("bespeak.ledger.administer")
    approvals = LaterModule("bespeak.ledger.approvals")
    audit_log = LaterModule("bespeak.ledger.audit_log")
    batches = LaterModule("bespeak.ledger.batches")
    grant = LaterModule("bespeak.ledger.grant")
    handing_over = LaterModule("bespeak.ledger.handing_over")
    host_actions = LaterModule("bespeak.ledger.host_actions")
    keepalive = LaterModule("bespeak.ledger.keepalive")
    kick_notices = LaterModule("bespeak.ledger.kick_notices")
    maintenance = LaterModule("bespeak.ledger.maintenance")
    pages = LaterModule("bespeak.ledger.listing_pages")
    modify = LaterModule("bespeak.ledger.modify")
    policy_changes = LaterModule("bespeak.ledger.policy_changes")
    queries = LaterModule("bespeak.ledger.queries")
    rebooking = LaterModule("bespeak.ledger.rebooking")
    releasing = LaterModule("bespeak.ledger.releasing")
    resources = LaterModule("bespeak.ledger.resources")
    waiting = LaterModule("bespeak.ledger.waiting")
    steps = LaterModule("bespeak.ledger.queue")
    edit = LaterModule("bespeak.ledger.inventory.edit")
    sync = LaterModule("bespeak.ledger.inventory.sync")
    inventory_listing = LaterModule("bespeak.ledger.inventory.listing")


class Ledger(LedgerContext):
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
    release = releasing.release
    release_resources = releasing.release_resources
    release_mine = releasing.release_mine
    kick = releasing.kick
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
    listing = pages.listing
    listing_pages = pages.listing_pages
    listing_texts = pages.listing_texts
    listing_numbers = pages.listing_numbers
    listing_page = pages.listing_page
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

    move = rebooking.move
    transfer = handing_over.transfer
    swap = handing_over.swap
    release_part = releasing.release_part
    reserve_many = batches.reserve_many
    move_many = batches.move_many
    release_many = batches.release_many

    policy_set = policy_changes.change
    policy_unset = policy_changes.unset

    inventory_difference = sync.difference
    inventory_sync = sync.sync
    inventory_add = edit.add
    inventory_change = edit.change
