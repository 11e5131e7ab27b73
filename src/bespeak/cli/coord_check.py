"""``coord check``: the question before each edit. Everything here is on the start-up path of a hook."""

from __future__ import annotations

from bespeak.argv.declarations import Option, command
from bespeak.cli.coord_command import (
    ADDRESS_HELP,
    ADDRESSES,
    JSON,
    RUN,
    contract_command,
    envelope,
    out_time,
    say_absent,
    say_how_to_be_known,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bespeak.cli.context import Context, Values
    from bespeak.coord.address import Address
    from bespeak.coord.missing_addresses import MissingAddress
    from bespeak.coord.model import Conflict
    from bespeak.git.repository import Repository

HELD = 7


@command(
    "coord check",
    text="Changes nothing, and answers fast: the call to make before each edit.\n\n" + ADDRESS_HELP,
    examples=(("coord check src/billing.py", "may I edit this file?"),),
    arguments=(ADDRESSES,),
    options=(RUN, Option(("--shared",), "Shared claims are not in the way."), *JSON),
)
@contract_command
def check(context: Context, values: Values) -> int:
    """Say who else holds what overlaps the addresses."""
    run_id, texts, found, absent = look(
        values["address"], values["run_id"], context.ledger_flag, shared=values["shared"]
    )
    code = HELD if found else 0
    if context.json:
        from bespeak.coord.serialize import check_json

        context.print_json(envelope(context, code) | check_json(run_id, texts, found, absent))
        return code
    say_absent(absent)
    if not found:
        context.print(f"✅ Free: {len(texts)} address(es)")
        return code
    from bespeak.coord.serialize import message

    for conflict in found:
        context.print(message(conflict, out_time))
    say_how_to_be_known(values["run_id"], [conflict.run_id for conflict in found])
    return code


def look(
    addresses: Sequence[str], run_id: str | None, ledger: str | None, *, shared: bool = False
) -> tuple[str, list[str], list[Conflict], list[MissingAddress]]:
    """Return the run that asks, the addresses normalised, what is in their way, and those that name nothing.

    Makes no book. What the server of tools has claimed for the agent that asks is in nobody's way.

    Args:
        addresses: as typed.
        run_id: who asks; None for the calling session.
        ledger: the value of ``--ledger``.
        shared: shared claims are not in the way.
    """
    from bespeak.base.paths import working_directory
    from bespeak.coord import address_parser, validation
    from bespeak.coord.missing_addresses import absent_of
    from bespeak.git.repository import find

    run = validation.caller(run_id)
    validation.addresses(addresses)
    here = working_directory()
    repository = find(here)
    wanted = address_parser.locate_all(addresses, repository, here)
    found = in_the_way(repository, wanted, run, ledger, shared=shared)
    if found and run_id is None:
        from bespeak.coord.session_runs import own_runs

        own = own_runs(repository)
        found = [conflict for conflict in found if conflict.run_id not in own]
    return run, [address.text for address in wanted], found, absent_of(repository, wanted)


def in_the_way(
    repository: Repository, wanted: Sequence[Address], run: str, ledger: str | None, *, shared: bool = False
) -> list[Conflict]:
    """Return what claims of other runs overlap some addresses; makes no book."""
    from bespeak.coord.locations import locate_book, open_claims_book
    from bespeak.coord.session_runs import without_orphans

    location = locate_book(repository, ledger)
    if location.missing:
        return []
    book = open_claims_book(location)
    try:
        return without_orphans(repository, book.conflicts(run, wanted, shared=shared))
    finally:
        book.close()


def touched(
    context: Context, run_id: str | None, where: Repository, files: Sequence[Address], more: Sequence[str] = ()
) -> list[Conflict]:
    """Return the claims of other runs that overlap these files.

    Args:
        context: of the command.
        run_id: the caller; None for the calling session.
        where: the repository.
        files: what is edited.
        more: further run ids of the caller.
    """
    from bespeak.coord import validation

    run = validation.caller(run_id)
    others = [validation.run_id(text, "session_id") for text in more]
    found = in_the_way(where, files, run, context.ledger_flag)
    if not found:
        return []
    from bespeak.coord.session_runs import own_runs

    others += own_runs(where)
    found = [conflict for conflict in found if conflict.run_id not in others]
    return _not_shared_out(context, {run, *others}, where, found) if found else []


def _not_shared_out(context: Context, own: Iterable[str], where: Repository, found: list[Conflict]) -> list[Conflict]:
    from bespeak.coord.git_hooks import not_shared_out
    from bespeak.coord.service import open_coord

    coord = open_coord(where.root, ledger=context.ledger_flag)
    try:
        mine = [held for run in own for held in coord.reservations(run_id=run)]
    finally:
        coord.close()
    return not_shared_out(found, [text for held in mine for text in held.addresses])
