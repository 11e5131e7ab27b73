"""``coord merge``: do what the plan of a merge recommends, as far as it is certain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base.display import escape_unprintable
from bespeak.cli.coord_command import JSON, RUN, contract_command, envelope

if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.coord.merge.steps.attempt import Merger
    from bespeak.coord.merge.steps.model import Left, Outcome
    from bespeak.git.repository import Repository

LEFT_CODE = 7


@command(
    "coord merge",
    text="OURS is what is merged into, THEIRS what is merged. git merges what it can; then renames are followed into "
    "what the other side wrote, edits of moved definitions are made where these are now, imports added, equal "
    "definitions kept once, and different ones at one place both kept (extra: symbols). Each step is printed as a "
    "patch, and taken only if names still resolve afterwards and the plan of the result is better. The result is a "
    "commit with both parents, whose id is printed; no work tree is touched, and no branch without --into. Exit 7, "
    "with nothing written, if something is left to a person.",
    examples=(
        ("coord merge main feature --dry-run", "what would be done, and what is left"),
        ("coord merge main feature --into merged --check 'make test'", "a branch to look at, if the tests pass"),
        ("coord merge main feature --json", "for a program"),
    ),
    arguments=(Argument("OURS"), Argument("THEIRS")),
    options=(
        Option(("--into",), "Make this branch, or move it on, if it is nowhere checked out.", "BRANCH"),
        Option(
            ("--check",),
            "Run this in a temporary folder with the merged files; nothing is written unless it exits 0.",
            "CMD",
        ),
        Option(("--with-conflicts",), "Write --into even if something is left; git's marks are in the files."),
        Option(("--dry-run",), "Write nothing."),
        RUN,
        *JSON,
    ),
)
@contract_command
def merge(context: Context, values: Values) -> int:
    """Do a merge, and print what was done and what is left."""
    from bespeak.base.paths import working_directory
    from bespeak.coord.errors import ClaimError
    from bespeak.coord.merge.steps.attempt import Merger
    from bespeak.git.repository import find

    if values["with_conflicts"] and not values["into"]:
        raise ClaimError("--with-conflicts needs --into: marks of conflicts go into no other result")
    where = find(working_directory(), bare=True)
    with Merger(where) as merger:
        outcome = _done(context, values, where, merger)
    code = LEFT_CODE if outcome.failed else 0
    if context.json:
        from bespeak.coord.merge.steps.serialize import outcome_json

        context.print_json(envelope(context, code) | outcome_json(outcome, written=_written(values, outcome)))
    else:
        context.print(_text(outcome, written=_written(values, outcome)))
    return code


def _written(values: Values, outcome: Outcome) -> bool:
    return bool(outcome.commit) and not values["dry_run"] and not _withheld(values, outcome)


def _withheld(values: Values, outcome: Outcome) -> bool:
    """Tell whether a result is not to be written."""
    unchecked = outcome.check is not None and outcome.check.exit_code != 0
    return unchecked or (bool(outcome.left) and not values["with_conflicts"])


def _done(context: Context, values: Values, where: Repository, merger: Merger) -> Outcome:
    from bespeak.coord.merge.steps import result

    branch, git = values["into"], merger.git
    tip = result.target(git, where, branch) if branch else ""
    outcome = merger.merge(values["ours"], values["theirs"])
    if branch:
        result.must_contain(git, outcome, branch, tip)
    if values["check"] and not outcome.left:
        outcome = result.checked(git, outcome, values["check"])
    if values["dry_run"] or _withheld(values, outcome):
        return outcome
    if branch:
        _must_be_free(context, values, where, result.changed_paths(git, outcome))
    outcome = result.commit(git, where, outcome)
    return result.point(git, where, outcome, branch, tip) if branch else outcome


def _must_be_free(context: Context, values: Values, where: Repository, paths: list[str]) -> None:
    """Refuse to change in a branch what another run has claimed.

    Raises:
        BusyError: some of it is claimed.
    """
    from bespeak.base.errors import BusyError
    from bespeak.cli.coord_check import touched
    from bespeak.coord.address_parser import literal
    from bespeak.coord.serialize import message

    found = touched(context, values["run_id"], where, [literal(path) for path in paths])
    if found:
        told = "; ".join(message(conflict) for conflict in found)
        raise BusyError(f"the merge changes what another run has claimed, and nothing was written: {told}")


def _text(of: Outcome, *, written: bool) -> str:
    from bespeak.coord.merge.model import Relation

    ours, theirs = escape_unprintable(of.ours.name), escape_unprintable(of.theirs.name)
    lines = [_check_text(of)] if of.check is not None else []
    if of.relation == Relation.ALREADY_MERGED:
        lines.append(f"✅ {ours} has all of {theirs} already: nothing to merge")
    if of.relation == Relation.FAST_FORWARD:
        lines.append(f"✅ Fast-forward: {ours} only has to move on to {theirs}")
    for number, step in enumerate(of.steps, 1):
        head = f"{number}. {step.kind.value} {escape_unprintable(step.address)}"
        lines += [head, f"   {escape_unprintable(step.reason)}", *map(escape_unprintable, step.patch.splitlines()), ""]
    lines += [f"⚠️ worth a look: {escape_unprintable(text)}" for text in of.review]
    for left in of.left:
        lines += _left_text(left)
    return "\n".join([*lines, *_end(of, written=written)])


def _left_text(of: Left) -> list[str]:
    said = [of.recommendation, *([of.obstacle] if of.obstacle else [])]
    head = f"❌ left to you: {of.kind} {escape_unprintable(of.address)}"
    return [head, *(f"   {escape_unprintable(text)}" for text in said)]


def _check_text(of: Outcome) -> str:
    if of.check is None:
        return ""
    mark = "✅" if of.check.exit_code == 0 else "❌"
    said = "\n".join(map(escape_unprintable, of.check.output.splitlines()))
    head = f"{mark} check exited {of.check.exit_code}: {escape_unprintable(of.check.command)}"
    return f"{said}\n{head}" if said and of.check.exit_code else head


def _end(of: Outcome, *, written: bool) -> list[str]:
    if not written:
        return ["Nothing was written"]
    at = f"; {escape_unprintable(of.into)} points to it" if of.into else ""
    done = f"{len(of.steps)} step(s) beyond git's merge" if of.tree else "no new commit"
    return [f"{'❌' if of.failed else '✅'} {of.commit} ({done}{at})"]
