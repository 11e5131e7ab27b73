"""Administering a book: tokens, rules, groups and workloads. Each change is one transaction with its row in the log."""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US
from bespeak.base.errors import BusyError, NotAllowedError, NotFoundError, UsageError, WrongStateError
from bespeak.base.timeparse import show
from bespeak.ledger import rights, validation, write_operations
from bespeak.ledger.actions import Action

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.access.model import Decision, Mapping, Rights, Rule, Token
    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.model import Holder
    from bespeak.storage.interface import Transaction

_TOPIC = "access"
_DIGEST = 64
_MOST_CLAIMS = 16


def token_create(
    book: LedgerContext,
    by: Holder,
    user: str,
    digest: str,
    *,
    name: str = "",
    scopes: tuple[str, ...] = (),
    selectors: tuple[str, ...] = (),
    expires_us: int = FOREVER_US,
) -> Token:
    """Let whoever has a certain secret act as ``user``.

    Args:
        book: the open book.
        by: who asks.
        user: whom the token stands for.
        digest: what :func:`bespeak.access.tokens.hashed` makes of the token; the book never sees the token itself.
        name: what people call it.
        scopes: what it may be used for; empty for all but managing and administering.
        selectors: on which resources; empty for all.
        expires_us: when it ends, µs UTC.

    Raises:
        NotAllowedError: who asks does not administer the book.
        UsageError: a value cannot be.
    """
    from bespeak.access import selectors as patterns
    from bespeak.access import tokens

    validation.check_new_user(user)
    wanted = patterns.scopes(scopes)
    on = tuple(patterns.selector(one) for one in selectors)
    validation.check_text("name", name)
    if len(digest) != _DIGEST or digest.strip("0123456789abcdef"):
        raise UsageError("token: the digest must be a SHA-256 in hexadecimal")

    def work(tx: Transaction) -> Token:
        _require(book, tx, by)
        if expires_us <= tx.now_us:
            raise UsageError(f"token: the end {show(expires_us)} is in the past (now {show(tx.now_us)})")
        made = tokens.create(
            tx, digest, user, name=name, scopes=wanted, selectors=on, by=rights.asker(by), expires_us=expires_us
        )
        told = f"token {made.id} of {user}: {' '.join(scope.value for scope in wanted)}"
        _log(tx, Action.TOKEN_CREATED, by, told, id=made.id, user=user, name=name, expires_us=expires_us)
        return made

    return book.engine.transact([_TOPIC], work)


def token_list(book: LedgerContext, by: Holder) -> list[Token]:
    """Return all tokens, oldest first; who does not administer the book sees its own.

    Raises:
        NotAllowedError: who asks is not who calls.
    """
    from bespeak.access import tokens

    def work(tx: Transaction) -> list[Token]:
        asks, found = rights.require_identity(book, by), tokens.every(tx)
        if not _may(book, tx, by):
            found = [one for one in found if one.holder == asks]
        return found

    return book.engine.read(work)


def token_revoke(book: LedgerContext, identifier: str, by: Holder) -> Token:
    """Make a token worthless from now on; everybody may do that to their own.

    Raises:
        NotFoundError: there is no such token.
        NotAllowedError: it is somebody else's, and who asks does not administer the book.
        WrongStateError: it is revoked already.
    """
    from bespeak.access import tokens

    def work(tx: Transaction) -> Token:
        asks, found = rights.require_identity(book, by), tokens.by_id(tx, identifier)
        if found is None or (found.holder != asks and not _may(book, tx, by)):
            _require(book, tx, by)
            raise NotFoundError(f"no token {identifier!a}; `bespeak token list` shows them")
        if found.revoked_us is not None:
            raise WrongStateError(f"token {identifier} was revoked at {show(found.revoked_us)}")
        tokens.revoke(tx, identifier)
        _log(tx, Action.TOKEN_REVOKED, by, f"token {identifier} of {found.holder}", id=identifier, user=found.holder)
        return tokens.by_id(tx, identifier) or found

    return book.engine.transact([_TOPIC], work)


def rights_grant(
    book: LedgerContext, principal: str, role: str, by: Holder, *, selector: str = "*"
) -> tuple[Rule, bool]:
    """Give a principal a role on some resources; return the rule, and whether it is new.

    With the first rule of a book, whoever makes it becomes its administrator: otherwise nobody could make the second.

    Args:
        book: the open book.
        principal: ``alice``, ``ci:org-x``, ``ci:*``, ``group:bringup``, or ``*`` for everybody.
        role: ``viewer``, ``booker``, ``manager`` or ``admin``.
        by: who asks.
        selector: on which resources: ``*``, a pattern of names, or ``label:KEY=VALUE``.

    Raises:
        NotAllowedError: who asks does not administer the book.
        UsageError: a value cannot be.
    """
    from bespeak.access import selectors as patterns
    from bespeak.access import store
    from bespeak.access.decide import told
    from bespeak.access.model import Role, principal_of

    whom, what, on = patterns.principal(principal), patterns.role(role), patterns.selector(selector)

    def work(tx: Transaction) -> tuple[Rule, bool]:
        _require(book, tx, by)
        first = not store.rules(tx)
        made, new = store.add_rule(tx, whom, what, on, rights.asker(by))
        if new:
            _log(tx, Action.RIGHT_GRANTED, by, told(made), id=made.id)
        if first and not store.administers(made):
            own, _ = store.add_rule(tx, principal_of(rights.asker(by)), Role.ADMIN, "*", rights.asker(by))
            _log(tx, Action.RIGHT_GRANTED, by, told(own), id=own.id)
        return made, new

    return book.engine.transact([_TOPIC], work)


def rights_revoke(book: LedgerContext, identifier: str, by: Holder) -> str:
    """Remove a rule or the mapping of a workload; return it in words.

    Raises:
        NotAllowedError: who asks does not administer the book.
        NotFoundError: there is none with this id.
        WrongStateError: nobody could administer the book any more, although it has other rules.
    """
    from bespeak.access import store
    from bespeak.access.decide import told

    def work(tx: Transaction) -> str:
        _require(book, tx, by)
        rules = {rule.id: rule for rule in store.rules(tx)}
        for mapping in store.mappings(tx):
            if mapping.id == identifier:
                store.remove_mapping(tx, identifier)
                _log(tx, Action.WORKLOAD_UNMAPPED, by, _mapped(mapping), id=identifier)
                return _mapped(mapping)
        if identifier not in rules:
            raise NotFoundError(f"no rule {identifier!a}; `bespeak rights list` shows them")
        gone = rules.pop(identifier)
        if rules and not any(map(store.administers, rules.values())):
            raise WrongStateError(f"rule {identifier} is the last that lets somebody change rules; make another first")
        store.remove_rule(tx, identifier)
        _log(tx, Action.RIGHT_REVOKED, by, told(gone), id=identifier)
        return told(gone)

    return book.engine.transact([_TOPIC], work)


def rights_list(book: LedgerContext) -> Rights:
    """Return all rules, groups and mappings of the book."""
    from bespeak.access import store
    from bespeak.access.model import Rights

    def work(tx: Transaction) -> Rights:
        groups = tuple((name, tuple(members)) for name, members in store.groups(tx).items())
        return Rights(tuple(store.rules(tx)), groups, tuple(store.mappings(tx)))

    return book.engine.read(work)


def rights_group(
    book: LedgerContext, name: str, by: Holder, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()
) -> list[str]:
    """Change who is in a group of the book; return its members.

    Raises:
        NotAllowedError: who asks does not administer the book.
        UsageError: a name cannot be.
    """
    from bespeak.access import store

    for holder in add:
        validation.check_new_user(holder)
    for holder in remove:
        validation.check_name("user", holder)
    validation.check_name("group", name)

    def work(tx: Transaction) -> list[str]:
        if add or remove:
            _require(book, tx, by)
            store.change_group(tx, name, list(add), list(remove))
            changed = " ".join([*(f"+{one}" for one in add), *(f"-{one}" for one in remove)])
            _log(tx, Action.GROUP_CHANGED, by, f"group {name}: {changed}", group=name)
        return store.groups(tx).get(name, [])

    return book.engine.transact([_TOPIC], work)


def rights_map(
    book: LedgerContext,
    issuer: str,
    claims: tuple[tuple[str, str], ...],
    holder: str,
    role: str,
    by: Holder,
    *,
    selector: str = "*",
    audience: str = "",
    once: bool = False,
) -> Mapping:
    """Let workloads that bring a token of ``issuer`` with certain claims act as a holder.

    Args:
        book: the open book.
        issuer: whose tokens: an ``https`` address, compared byte for byte.
        claims: each with the value it has to have; ``*`` in it stands for any text.
        holder: whom they act as; ``{claim}`` stands for the value of a claim.
        role: what they may do.
        by: who asks.
        selector: on which resources.
        audience: for whom the tokens have to be made; empty for the audience of the server's settings.
        once: accept each token once.

    Raises:
        NotAllowedError: who asks does not administer the book.
        UsageError: a value cannot be, or no claim is named: the tokens of all the issuer's projects would act here.
    """
    from bespeak.access import selectors as patterns
    from bespeak.access import store
    from bespeak.access.model import Mapping

    if not claims:
        raise UsageError("rights map: name a claim; otherwise every project of this issuer could act in the book")
    if len(claims) > _MOST_CLAIMS:
        raise UsageError(f"rights map: {len(claims)} claims; at most {_MOST_CLAIMS}")
    for key, value in claims:
        validation.check_name("claim", key)
        validation.check_name(f"claim {key}", value)
    patterns.issuer(issuer)
    patterns.workload_holder(holder, claims)
    what, on = patterns.role(role), patterns.selector(selector)
    validation.check_text("audience", audience)

    def work(tx: Transaction) -> Mapping:
        _require(book, tx, by)
        made = Mapping(
            store.new_id(), issuer, audience, tuple(sorted(claims)), holder, what, on, once, tx.now_us, rights.asker(by)
        )
        store.add_mapping(tx, made)
        _log(tx, Action.WORKLOAD_MAPPED, by, _mapped(made), id=made.id)
        return made

    return book.engine.transact([_TOPIC], work)


def rights_check(book: LedgerContext, user: str, action: str, resource: str | None = None) -> Decision:
    """Tell whether ``user`` may do something, and which rule says so.

    Args:
        book: the open book.
        user: a holder.
        action: a right (``look``, ``reserve``, ``as-user``, ``kick``, ``resource``, ``administer``), or a command.
        resource: on which; None for the book itself.

    Raises:
        UsageError: there is no such action.
    """
    from bespeak.access import selectors as patterns

    right = patterns.right(action)
    validation.check_name("user", user)

    def work(tx: Transaction) -> Decision:
        caller = rights.caller_to_explain(tx, user)
        return rights.decisions(book, tx, caller, right.value, [resource])[0]

    return book.engine.read(work)


def log_sign_in(book: LedgerContext, holder: str, how: str, *, out: bool = False) -> None:
    """Write into the log that somebody has signed in, or out; for a server, which has verified it."""

    def work(tx: Transaction) -> None:
        action = Action.SIGNED_OUT if out else Action.SIGNED_IN
        write_operations.log(tx, action, holder, None, None, [], {}, {"note": how})
        tx.notify(_TOPIC)

    book.engine.transact([_TOPIC], work)


def _require(book: LedgerContext, tx: Transaction, by: Holder) -> None:
    from bespeak.ledger.policy_changes import require_administrator

    require_administrator(book, tx, by)


def _may(book: LedgerContext, tx: Transaction, by: Holder) -> bool:
    try:
        _require(book, tx, by)
    except (NotAllowedError, BusyError):
        return False
    return True


def _mapped(mapping: Mapping) -> str:
    claims = ", ".join(f"{key}={value}" for key, value in mapping.claims)
    role = f"{mapping.role.value} of {mapping.selector}"
    return f"tokens of {mapping.issuer} with {claims} act as {mapping.holder}, {role}"


def _log(tx: Transaction, action: Action, by: Holder, note: str, **facts: object) -> None:
    write_operations.log(tx, action, by.user, by.requested_by, None, [], {}, {"note": note, **facts})
    tx.notify(_TOPIC)
