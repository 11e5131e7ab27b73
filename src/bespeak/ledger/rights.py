"""Who may do what in a book: the one place that is asked, inside the transaction of each call.

Who asks is who typed the command, whoever's name it is about: acting for somebody never gives more rights. The rules of
the book (:mod:`bespeak.access`) decide where it has any, its policy (:mod:`bespeak.ledger.policy`) where it has none.

A server opens a view of the book for each caller (:meth:`LedgerContext.as_caller`): rights are then asked for in a book
without rules too, and the caller's name is compared with the name that is used.
"""

from __future__ import annotations

from bespeak.access.schema import ANY_RULE
from bespeak.base.errors import BusyError, NotAllowedError, UsageError
from bespeak.base.frozen import frozen
from bespeak.ledger.model import HolderKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Literal

    from bespeak.access.model import Caller, Decision, Right, Rule
    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.model import Holder, Reservation
    from bespeak.ledger.policy import Policy
    from bespeak.storage.interface import Transaction

    RightName = Literal["look", "reserve", "as-user", "kick", "resource", "administer"]

_GROUPS = "SELECT group_name FROM access_members WHERE member = :holder OR member = :principal"


def asker(by: Holder) -> str:
    """Return who really asks."""
    return by.name if by.requested_by is None else by.requested_by


def check_may_take(book: LedgerContext, tx: Transaction, by: Holder, names: Iterable[str]) -> None:
    """Refuse to take reservations of ``names`` away from others.

    Raises:
        BusyError: the policy names others who may.
        NotAllowedError: a rule has to give that right, and none does.
    """
    policy = book.policy_in(tx)
    asks = require_identity(book, by)
    if tx.fetch_one(ANY_RULE) is not None or (book.caller is not None and policy.kickers is None):
        require(book, tx, type(by)(asks), "kick", names)
        return
    if book.caller is not None:
        book.caller.require_scope("manage")
    check_kickers(policy, by)


def check_kickers(policy: Policy, by: Holder) -> None:
    """Refuse to take reservations away from others where the policy says that others may.

    Raises:
        BusyError: it is somebody else's right.
    """
    asks, kickers = asker(by), policy.kickers
    if kickers is not None and asks not in kickers:
        where = "policy of the book" if policy.says("kickers") else "settings, [ledger]"
        raise BusyError(f"{asks} may not take reservations away from others ({where}: kickers)")


@frozen
class Ending:
    """In whose name, and why, a reservation ends before its time.

    Attributes:
        taken: it is taken away by somebody who has not made it, although in its holder's name.
        reason: why.
    """

    taken: bool
    reason: str


def check_may_end(
    book: LedgerContext, tx: Transaction, found: Reservation, by: Holder, reason: str, doing: str
) -> Ending:
    """Refuse to give back, in somebody else's name, what whoever asks has not reserved and may not take away.

    Args:
        book: the open book.
        tx: the transaction in which it is to end.
        found: what is to end, wholly or in part.
        by: who asks.
        reason: why, as the holder will read it; needed only where it is taken away.
        doing: the word for it, for messages.

    Raises:
        BusyError: acting for the holder would be a way around the right to kick.
        NotAllowedError: the same, where the book has rules; or the caller of a server uses somebody else's name.
        UsageError: it is taken away, and no reason is given.
    """
    require_identity(book, by)
    if _is_theirs(book, tx, found, by):
        return Ending(taken=False, reason=reason)
    check_may_take(book, tx, by, found.resources)
    if not reason.strip():
        raise UsageError(
            f"{doing}: {found.holder} has reserved it, and not {by.requested_by}: a reason must be given; the holder"
            " will read it"
        )
    return Ending(taken=True, reason=reason)


def check_may_keep(book: LedgerContext, tx: Transaction, found: Reservation, by: Holder) -> None:
    """Refuse to keep others from a resource, in somebody else's name, to whoever may not take it from them either.

    Raises:
        BusyError: acting for the holder would be a way around the right to kick.
        NotAllowedError: the same, where the book has rules.
    """
    if not _is_theirs(book, tx, found, by):
        check_may_take(book, tx, by, found.resources)


def _is_theirs(book: LedgerContext, tx: Transaction, found: Reservation, by: Holder) -> bool:
    """Tell whether whoever asks has it, has reserved it for its holder, or is in the team that has it."""
    return by.requested_by in (None, found.holder, found.requested_by) or acts_for_team(book.policy_in(tx), by)


def acts_for_team(policy: Policy, by: Holder) -> bool:
    """Tell whether somebody acts for a team that the policy says they are in."""
    return by.kind is HolderKind.TEAM and by.requested_by in policy.team_members(by.user.partition(":")[2])


def check_may_act_for(book: LedgerContext, tx: Transaction, by: Holder) -> None:
    """Refuse to act for a team to whoever is not in it; the policy is read for teams alone.

    Raises:
        BusyError: the policy does not name who asks.
    """
    if by.kind is HolderKind.TEAM and by.requested_by is not None and not acts_for_team(book.policy_in(tx), by):
        raise BusyError(f"{by.requested_by} may not act for {by.user} (policy of the book: teams)")


def check_priority(policy: Policy, by: Holder, priority: int) -> None:
    """Refuse a place in the queue before others that whoever asks has no right to.

    Raises:
        BusyError: the policy allows less.
    """
    most = policy.most_priority(asker(by))
    if priority > most:
        raise BusyError(f"priority {priority}: {asker(by)} may wait with at most {most} (policy of the book: priority)")


def require(
    book: LedgerContext, tx: Transaction, by: Holder, right: RightName, names: Iterable[str | None] = (None,)
) -> None:
    """Refuse what no rule of the book gives whoever asks.

    Args:
        book: the open book.
        tx: the transaction in which it is to be done.
        by: whose name is used, and who asks.
        right: what is asked for; acting in somebody else's name asks for ``as-user`` besides.
        names: on which resources; None is the book itself.

    Raises:
        NotAllowedError: with the reason; nothing was changed.
        BusyError: there are no rules, and whoever asks is not in the team that it is for.
    """
    if not asked(book, tx):
        check_may_act_for(book, tx, by)
        return
    names = list(names)
    asks = require_identity(book, by)
    for_itself = asks == by.name or acts_for_team(book.policy_in(tx), by)
    wanted: list[RightName] = [right] if for_itself else ["as-user", right]
    for one in wanted:
        for decision in decisions(book, tx, caller_of(book, asks), one, names):
            if not decision.allowed:
                raise NotAllowedError(f"{asks} may not {_DEED[one]}: {decision.reason}", right=one)


def check_may_have(book: LedgerContext, tx: Transaction, by: Holder, holder: str, names: Sequence[str]) -> None:
    """Refuse to give resources to somebody whom no rule lets reserve them; who acts for others may do it all the same.

    Raises:
        NotAllowedError: with the reason.
    """
    if not asked(book, tx):
        return
    acting = decisions(book, tx, caller_of(book, require_identity(book, by)), "as-user", names)
    if all(one.allowed for one in acting):
        return
    for decision in decisions(book, tx, caller_to_explain(tx, holder), "reserve", names):
        if not decision.allowed:
            raise NotAllowedError(f"{holder} may not {_DEED['reserve']}: {decision.reason}", right="reserve")


def permitted(book: LedgerContext, tx: Transaction, by: Holder, right: RightName, names: Iterable[str]) -> list[str]:
    """Return those of ``names`` on which whoever asks has a right; all of them where nobody asks for rights."""
    names = list(names)
    if not asked(book, tx):
        return names
    answers = decisions(book, tx, caller_of(book, require_identity(book, by)), right, names)
    return [name for name, answer in zip(names, answers, strict=True) if answer.allowed]


def require_identity(book: LedgerContext, by: Holder) -> str:
    """Return who asks; a server's caller asks in its own name.

    Raises:
        NotAllowedError: somebody else is said to ask.
    """
    asks = asker(by)
    if book.caller is not None and asks != book.caller.holder:
        raise NotAllowedError(f"signed in as {book.caller.holder}; that is not {asks!a}, who is said to ask")
    return asks


def name_to_use(book: LedgerContext, by: Holder, scope: str) -> str:
    """Return in whose name something personal is done: reading one's notices, making a calendar link.

    Args:
        book: the open book.
        by: whose name is used, and who asks.
        scope: what the token of a server's caller has to be for.

    Raises:
        NotAllowedError: whoever asks may not act in that name, or its token is for other things.
        BusyError: there are no rules, and whoever asks is not in the team that it is for.
    """
    asks = require_identity(book, by)
    if book.caller is not None:
        book.caller.require_scope(scope)
    if asks == by.name:
        return by.user

    def check(tx: Transaction) -> None:
        if not asked(book, tx):
            check_may_act_for(book, tx, by)
        elif not acts_for_team(book.policy_in(tx), by):
            (answer,) = decisions(book, tx, caller_of(book, asks), "as-user", [None])
            if not answer.allowed:
                raise NotAllowedError(f"{asks} may not {_DEED['as-user']}: {answer.reason}", right="as-user")

    book.engine.read(check)
    return by.user


def require_own(book: LedgerContext, tx: Transaction, found: Reservation) -> None:
    """Refuse to do for somebody else what only a holder's own process does: keep a hold, or a place in the queue.

    Raises:
        NotAllowedError: the caller of a server has not reserved it, and is in no team that has.
    """
    if book.caller is None or book.caller.holder in (found.holder, found.requested_by):
        return
    kind, _, team = found.holder.partition(":")
    if kind == "team" and book.caller.holder in book.policy_in(tx).team_members(team):
        return
    raise NotAllowedError(f"reservation {found.id} is {found.holder}'s, and you are signed in as {book.caller.holder}")


_DEED = {
    "look": "look at this",
    "reserve": "reserve this",
    "as-user": "act for somebody else",
    "kick": "take reservations away from others",
    "resource": "change resources",
    "administer": "administer the book",
}


def asked(book: LedgerContext, tx: Transaction) -> bool:
    """Tell whether rights are asked for at all: a server's caller, or a book with rules."""
    return book.caller is not None or tx.fetch_one(ANY_RULE) is not None


def caller_of(book: LedgerContext, holder: str) -> Caller:
    """Return who asks: the server's caller, or a local command's user, who may everything without rules."""
    from bespeak.access.model import Caller, Role, kind_of

    if book.caller is not None and book.caller.holder == holder:
        return book.caller
    return Caller(holder, kind_of(holder), "local", unruled=Role.ADMIN)


def caller_to_explain(tx: Transaction, holder: str) -> Caller:
    """Return a holder as who signs in with what the book knows of it: roles of its workload, groups it came with."""
    from bespeak.access import sessions, store
    from bespeak.access.model import Caller, Grant, Role, kind_of

    grants = tuple(
        Grant(one.role, one.selector, f"mapping {one.id}") for one in store.mappings(tx) if one.holder == holder
    )
    groups = sessions.groups_said_of(tx, holder)
    return Caller(holder, kind_of(holder), "local", groups, grants=grants, unruled=None if grants else Role.ADMIN)


def decisions(
    book: LedgerContext, tx: Transaction, caller: Caller, right: RightName, names: Iterable[str | None]
) -> list[Decision]:
    """Return the answer for each of ``names``."""
    from bespeak.access import store
    from bespeak.access.decide import decide
    from bespeak.access.model import Right

    names = list(names)
    rules = store.rules(tx)
    groups = groups_of(book, tx, caller, rules)
    labels = _labels(tx, rules, caller, [name for name in names if name is not None])
    found: Right = Right(right)
    return [decide(rules, caller, groups, found, name, labels.get(name or "", {})) for name in names]


def groups_of(book: LedgerContext, tx: Transaction, caller: Caller, rules: Sequence[Rule]) -> set[str]:
    """Return the groups that ``caller`` is in, where a rule names one."""
    if not any(rule.principal.startswith("group:") for rule in rules):
        return set()
    from bespeak.access.model import principal_of

    params = {"holder": caller.holder, "principal": principal_of(caller.holder)}
    found = {str(row[0]) for row in tx.fetch_all(_GROUPS, params)} | set(caller.groups)
    if book.caller is None or caller.method == "peer":
        from bespeak.access.unix_groups import unix_groups

        found.update(unix_groups(caller.holder))
    return found


def _labels(tx: Transaction, rules: Sequence[Rule], caller: Caller, names: list[str]) -> dict[str, dict[str, str]]:
    """Return the labels of resources as texts, where a rule or the caller's credential names one."""
    selectors = [rule.selector for rule in rules] + [grant.selector for grant in caller.grants]
    if not names or not any(one.startswith("label:") for one in (*selectors, *caller.selectors)):
        return {}
    from bespeak.ledger.inventory.read import labels_of

    return {
        name: {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in labels.items()}
        for name, labels in labels_of(tx, names).items()
    }
