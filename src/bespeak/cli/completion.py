"""``completion``: the script for a shell, and the names that the TAB key offers.

Help and completion never ask a backend. Names come from the book itself; users from the completion cache.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bespeak.argv.declarations import Argument, Option, command, load
from bespeak.base.errors import UsageError

if TYPE_CHECKING:
    import click

    from bespeak.cli.context import Context, Values
    from bespeak.ledger.service import Ledger

_PROGRAMS = {
    "bespeak": ("bespeak.cli.index:PROGRAM", "bespeak.cli.main:COMPLETE_VARIABLE"),
    "orchesjob-reserver": ("bespeak.jobs.cli:PROGRAM", "bespeak.jobs.cli:COMPLETE_VARIABLE"),
}
"""Where the declaration of each installed program is, and the variable by which a shell asks it."""

_LIMIT = 500


@command(
    "completion",
    text='For bash: eval "$(bespeak completion bash)" in ~/.bashrc. For zsh: the same with zsh in ~/.zshrc. '
    "For fish: bespeak completion fish > ~/.config/fish/completions/bespeak.fish",
    examples=(
        ("completion bash", "to be evaluated by bash"),
        ("completion zsh --program orchesjob-reserver", "for the other program that is installed"),
    ),
    arguments=(Argument("SHELL", choices=("bash", "zsh", "fish")),),
    options=(Option(("--program",), "bespeak (default) or orchesjob-reserver.", "NAME", complete="program"),),
)
def script(context: Context, values: Values) -> int:
    """Print the completion script of a shell."""
    from bespeak.argv import completion

    name = values["program"] or "bespeak"
    if name not in _PROGRAMS:
        raise UsageError(f"--program {name!a}: one of {', '.join(_PROGRAMS)}")
    program, variable = (load(target) for target in _PROGRAMS[name])
    text = completion.script(program, name, variable, values["shell"])
    context.answer({"shell": values["shell"], "script": text}, text)
    return 0


def _book_flag(context: click.Context) -> str | None:
    while context is not None:
        if context.params.get("shared_ledger"):
            return str(context.params["shared_ledger"])
        if context.parent is None:
            break
        context = context.parent
    return None


def _resources(context: click.Context) -> dict[str, str]:
    book = _book(context)
    if book is None:
        return {}
    with book:
        return {resource.name: resource.description for resource in book.resource_list()}


def _reservations(context: click.Context) -> dict[str, str]:
    from bespeak.base import ids

    book = _book(context)
    if book is None:
        return {}
    with book:
        return {
            ids.short_id(one.id): f"{one.holder}: {' '.join(one.resources)}" for one in book.reservations(limit=_LIMIT)
        }


def _book(context: click.Context) -> Ledger | None:
    """Open the book if it exists, for completion never makes one; the user's own where the folder is not trusted."""
    from bespeak.cli.context import open_book
    from bespeak.settings import ledger_place
    from bespeak.settings.trust import UntrustedError

    flag, own = _book_flag(context), False
    try:
        url = ledger_place(flag).url
    except UntrustedError:
        url, own = ledger_place(flag, own=True).url, True
    return open_book(flag, own=own) if "://" in url or os.path.exists(url) else None


def _users(context: click.Context) -> dict[str, str]:
    from bespeak.configmodule.completion_cache import collect_reservation_usernames
    from bespeak.settings import find_repos

    skip = bool(context.find_root().params.get("shared_skip_reservation_check"))
    return dict.fromkeys(collect_reservation_usernames(find_repos(), skip_reservation_check=skip), "")


def _labs(context: click.Context) -> dict[str, str]:  # noqa: ARG001 the shape of all sources
    from bespeak.labs import open_labs
    from bespeak.settings import load_settings

    return dict.fromkeys(open_labs(load_settings()).names(), "")


def _states(context: click.Context) -> dict[str, str]:  # noqa: ARG001 the shape of all sources
    return dict.fromkeys(("waiting", "awaiting", "pending", "active", "ended"), "")


def _hosts(context: click.Context) -> dict[str, str]:  # noqa: ARG001 the shape of all sources
    from bespeak.labs import open_labs
    from bespeak.settings import load_settings

    return {host.id: " ".join(host.labs) for host in open_labs(load_settings()).hosts}


def _boot_devices(context: click.Context) -> dict[str, str]:  # noqa: ARG001 the shape of all sources
    from bespeak.host.power.management import BootDevice

    return dict.fromkeys((device.value for device in BootDevice), "")


def _policy(context: click.Context) -> dict[str, str]:  # noqa: ARG001 the shape of all sources
    from bespeak.ledger.policy import KEYS

    return {key.name: key.text for key in KEYS}


SOURCES = {
    "program": lambda _: dict.fromkeys(_PROGRAMS, ""),
    "host": _hosts,
    "boot_device": _boot_devices,
    "resource": _resources,
    "reservation": _reservations,
    "user": _users,
    "lab": _labs,
    "state": _states,
    "policy": _policy,
}
