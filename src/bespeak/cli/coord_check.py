"""``coord check``: the question before each edit. Everything here is on the start-up path of a hook."""

from __future__ import annotations

from bespeak.cli.coord_shared import documented, envelope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.cli.context import Context, Values
    from bespeak.coord.model import Conflict

HELD = 7


@documented
def check(context: Context, values: Values) -> int:
    """Say who else holds what overlaps the addresses."""
    run_id, texts, found = look(values["address"], values["run_id"], context.ledger_flag, shared=values["shared"])
    code = HELD if found else 0
    if context.json:
        from bespeak.cli.coord import told

        free = {"free": not found, "run_id": run_id, "addresses": texts}
        context.print_json(envelope(context, code) | free | told(found))
        return code
    if not found:
        context.print(f"✅ Free: {len(texts)} address(es)")
        return code
    from bespeak.coord.jsonform import message

    for conflict in found:
        context.print(message(conflict))
    return code


def look(
    addresses: Sequence[str], run_id: str | None, ledger: str | None, *, shared: bool = False, folder: str | None = None
) -> tuple[str, list[str], list[Conflict]]:
    """Return the run that asks, the addresses normalised, and what is in their way. Makes no book.

    Args:
        addresses: as typed.
        run_id: who asks; None for the calling session.
        ledger: the value of ``--ledger``.
        shared: shared claims are not in the way.
        folder: where relative addresses start; by default the working directory.
    """
    from bespeak.coord import checks, locate
    from bespeak.coord.place import open_place, place_of
    from bespeak.coord.repository import find
    from bespeak.coord.runs import default_run_id
    from bespeak.places import working_directory

    run = checks.run_id(default_run_id() if run_id is None else run_id)
    checks.addresses(addresses)
    here = working_directory() if folder is None else folder
    repository = find(here)
    wanted = locate.locate_all(addresses, repository, here)
    texts = [address.text for address in wanted]
    place = place_of(repository, ledger)
    if place.missing:
        return run, texts, []
    from bespeak.coord.lookup import conflicts

    engine = open_place(place)
    try:
        return run, texts, engine.read(lambda tx: conflicts(tx, place.repo, run, wanted, shared=shared))
    finally:
        engine.close()
