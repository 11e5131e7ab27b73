"""``rights grant|revoke|list|check|group|map``: who may do what in the book."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.access.serialize import mapping_json, rights_json, rule_json
from bespeak.argv.declarations import Argument, Option, command
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import ExitCode, UsageError
from bespeak.cli.output import table

if TYPE_CHECKING:
    from bespeak.access.model import Mapping, Rule
    from bespeak.cli.context import Context, Values

ON_OPTION = Option(("--on",), "On resources whose name matches: rack3, 'rack*' (default: all).", "PATTERN", many=True)
LABEL_OPTION = Option(("--label",), "On resources with this label.", "KEY=VALUE", many=True)
_ROLE = Option(("--role",), "viewer, booker, manager or admin.", "ROLE", required=True)


@command(
    "rights grant",
    text=(
        "A book without rules lets everybody who can open it do everything. From the first rule on, what no rule gives "
        "is refused; whoever makes the first one becomes admin, so that somebody can make the second.\n\n"
        "viewer: look. booker: reserve besides. manager: act for others, kick and change resources besides. "
        "admin: everything, rights and tokens too."
    ),
    examples=(
        ("rights grant alice --role booker --on 'rack*'", "alice may reserve racks"),
        ("rights grant group:bringup --role manager", "a group of the book, of Unix, or of the sign-in"),
        ("rights grant '*' --role viewer", "everybody may look"),
    ),
    arguments=(Argument("PRINCIPAL", complete="user"),),
    options=(_ROLE, ON_OPTION, LABEL_OPTION),
)
def grant(context: Context, values: Values) -> int:
    """Give somebody a role, on all resources or on some."""
    book = context.book(create=True)
    holder = context.holder()
    was_empty = not book.rights_list().rules
    made = [
        book.rights_grant(values["principal"], values["role"], holder, selector=on)
        for on in selectors(values) or ("*",)
    ]
    if context.json:
        context.print_json({"rules": [rule_json(rule) for rule, _ in made]})
        return 0
    for rule, new in made:
        context.print(escape_unprintable(f"{'rule' if new else 'known already: rule'} {rule.id}: {_words(rule)}"))
    if was_empty and not any(rule.role.value == "admin" and rule.selector == "*" for rule, _ in made):
        context.warn("this was the first rule: you are now admin, and whatever no rule gives is refused")
    return 0


@command(
    "rights revoke",
    examples=(("rights revoke 8f3a2c10", "a rule or a mapping of `rights list`"),),
    arguments=(Argument("ID"),),
)
def revoke(context: Context, values: Values) -> int:
    """Remove a rule, or the mapping of a workload."""
    gone = context.book().rights_revoke(values["id"], context.holder())
    context.answer({"revoked": values["id"], "rule": gone}, escape_unprintable(f"no longer: {gone}"))
    return 0


@command(
    "rights list",
    examples=(("rights list", "rules, groups and workloads"),),
)
def list_(context: Context, values: Values) -> int:  # noqa: ARG001 the shape of a command
    """Print the rules, groups and workloads of the book."""
    found = context.book().rights_list()
    if context.json:
        context.print_json(rights_json(found))
        return 0
    if not (found.rules or found.groups or found.mappings):
        context.print("no rules: everybody who can open the book may do everything")
        return 0
    parts = []
    if found.rules:
        cells = [(one.id, one.principal, one.role.value, one.selector) for one in found.rules]
        parts.append(table(("RULE", "WHO", "ROLE", "ON"), cells))
    if found.groups:
        parts.append(table(("GROUP", "MEMBERS"), [(name, " ".join(members)) for name, members in found.groups]))
    if found.mappings:
        rows = [(one.id, one.issuer, _claims(one), one.holder, one.role.value, one.selector) for one in found.mappings]
        parts.append(table(("WORKLOAD", "ISSUER", "CLAIMS", "ACTS AS", "ROLE", "ON"), rows))
    context.print("\n\n".join(parts))
    return 0


@command(
    "rights check",
    text="Exit 0 where it is allowed, 12 where it is not.",
    examples=(
        ("rights check alice reserve rack3", "and the rule that says so"),
        ("rights check alice rights", "without a resource: the book itself"),
    ),
    arguments=(
        Argument("USER", complete="user"),
        Argument("ACTION"),
        Argument("RESOURCE", required=False, complete="resource"),
    ),
)
def check(context: Context, values: Values) -> int:
    """Tell whether somebody may do something, and which rule says so."""
    found = context.book().rights_check(values["user"], values["action"], values["resource"])
    document = {
        "user": values["user"],
        "action": values["action"],
        "resource": values["resource"],
        "allowed": found.allowed,
        "rule": found.rule,
        "reason": found.reason,
    }
    context.answer(document, escape_unprintable(f"{'yes' if found.allowed else 'no'}: {found.reason}"))
    return int(ExitCode.OK if found.allowed else ExitCode.NOT_ALLOWED)


@command(
    "rights group",
    examples=(
        ("rights group bringup --add alice --add bob", "rules call it group:bringup"),
        ("rights group bringup", "who is in it"),
    ),
    arguments=(Argument("GROUP"),),
    options=(
        Option(("--add",), "Put somebody into it.", "USER", many=True, complete="user"),
        Option(("--remove",), "Take somebody out of it.", "USER", many=True, complete="user"),
    ),
)
def group(context: Context, values: Values) -> int:
    """Print who is in a group of the book; change it."""
    name = values["group"]
    add, remove = values["add"], values["remove"]
    members = context.book(create=bool(add)).rights_group(name, context.holder(), add=add, remove=remove)
    text = f"group {name}: {' '.join(members)}" if members else f"group {name} has no members"
    context.answer({"group": name, "members": members}, escape_unprintable(text))
    return 0


@command(
    "rights map",
    text=(
        "A job of GitHub Actions, GitLab or Buildkite proves who it is with a token of its own, which the server "
        "checks against the issuer's published keys. Nothing secret is stored on either side."
    ),
    examples=(
        (
            "rights map --issuer https://gitlab.com --claim project_path=org/x --holder ci:org-x --role booker",
            "pipelines of org/x act as ci:org-x",
        ),
    ),
    options=(
        Option(("--issuer",), "Whose tokens: the address in them, byte for byte.", "URL", required=True),
        Option(
            ("--claim",),
            "What a token has to say; * in the value stands for any text.",
            "KEY=VALUE",
            many=True,
            required=True,
        ),
        Option(
            ("--holder",),
            "Whom it acts as: ci:NAME or agent:NAME; {KEY} is the value of a claim.",
            "HOLDER",
            required=True,
        ),
        _ROLE,
        ON_OPTION,
        LABEL_OPTION,
        Option(("--audience",), "For whom the tokens are made (default: the server's audience).", "TEXT"),
        Option(("--once",), "Accept each token once."),
    ),
)
def map_(context: Context, values: Values) -> int:
    """Let workloads of a CI system act as a holder."""
    claims = tuple(_claim(text) for text in values["claim"])
    book = context.book(create=True)
    made = [
        book.rights_map(
            values["issuer"],
            claims,
            values["holder"],
            values["role"],
            context.holder(),
            selector=on,
            audience=values["audience"] or "",
            once=values["once"],
        )
        for on in selectors(values) or ("*",)
    ]
    if context.json:
        context.print_json({"workloads": [mapping_json(one) for one in made]})
        return 0
    for one in made:
        role = f"{one.role.value} of {one.selector}"
        text = f"{one.id}: tokens of {one.issuer} with {_claims(one)} act as {one.holder}, {role}"
        context.print(escape_unprintable(text))
    return 0


def selectors(values: Values) -> tuple[str, ...]:
    """Read ``--on`` and ``--label``."""
    return (*values["on"], *(f"label:{text}" for text in values["label"]))


def _claim(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals and value):
        raise UsageError(f"--claim {text!a}: KEY=VALUE")
    return key, value


def _claims(of: Mapping) -> str:
    return ", ".join(f"{key}={value}" for key, value in of.claims)


def _words(of: Rule) -> str:
    from bespeak.access.decide import told

    return told(of)
