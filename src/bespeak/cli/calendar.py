"""``calendar link|list|revoke``: secret addresses that calendar programs subscribe to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base.clock import iso
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import UsageError
from bespeak.base.ids import short_id
from bespeak.cli.output import table
from bespeak.integrations.calendar_service import link_json

if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values


@command(
    "calendar link",
    text="Prints the path of a calendar below the address of `bespeak serve`. Whoever has it sees what you may see: "
    "keep it secret, and revoke it when it is not.",
    examples=(
        ("calendar link", "what is yours"),
        ("calendar link --resource rack3", "who has rack3, and when"),
        ("calendar link --group berlin --hide-names", "when the resources of a group are taken"),
        ("calendar link --all --json", "all resources, for a program"),
    ),
    options=(
        Option(("--resource",), "The bookings of this resource.", "RESOURCE", complete="resource"),
        Option(("--group",), "The bookings of all resources of this group.", "GROUP"),
        Option(("--all",), "The bookings of all resources."),
        Option(("--hide-names",), "Show that something is taken, not by whom or why."),
    ),
)
def link(context: Context, values: Values) -> int:
    """Make a link."""
    from bespeak.integrations.calendar_links import Shows, hashed, new_secret
    from bespeak.integrations.calendar_service import calendar_links_in

    asked = [name for name in ("resource", "group", "all") if values[name]]
    if len(asked) > 1:
        raise UsageError(f"--{asked[0]} and --{asked[1]} exclude each other")
    shows = Shows(asked[0]) if asked else Shows.USER
    target = "" if not asked or shows is Shows.ALL else values[asked[0]]
    secret = new_secret()
    links = calendar_links_in(context.book(create=True))
    made = links.make(context.holder(), hashed(secret), shows, target, names_hidden=values["hide_names"])
    path = f"/calendar/{secret}.ics"
    context.answer({**link_json(made), "path": path}, path)
    return 0


@command("calendar list", examples=(("calendar list", "your links, never the secret"),))
def list_(context: Context, values: Values) -> int:  # noqa: ARG001 the shape of a command
    """Print the links of whoever asks."""
    from bespeak.integrations.calendar_service import calendar_links_in

    found = calendar_links_in(context.book()).links(context.holder())
    if context.json:
        context.print_json({"links": [link_json(one) for one in found]})
        return 0
    cells = [(short_id(one.id), escape_unprintable(one.title), iso(one.created_us) or "") for one in found]
    context.print(table(("ID", "SHOWS", "MADE"), cells) if cells else "no calendar links")
    return 0


@command(
    "calendar revoke",
    examples=(("calendar revoke 8f3a2c10", "shows nothing from now on"),),
    arguments=(Argument("ID"),),
)
def revoke(context: Context, values: Values) -> int:
    """End a link."""
    from bespeak.integrations.calendar_service import calendar_links_in

    ended = calendar_links_in(context.book()).revoke(context.holder(), values["id"])
    context.answer(link_json(ended), f"revoked calendar link {short_id(ended.id)}: {escape_unprintable(ended.title)}")
    return 0
