"""Commands that look into the book."""

from bespeak.argv.declarations import Argument, Command, Option

ENTRIES = (
    Command(
        "list",
        "What is held, booked and waited for.",
        run="show:list_",
        examples=(
            ("list", "everything that has not ended"),
            ("list --mine", "what is yours"),
            ("list --resource rack3 --all --json", "also what has ended, for a program"),
        ),
        options=(
            Option(("--mine",), "Only what is yours."),
            Option(("--user",), "Only what this user has.", "USER", complete="user"),
            Option(
                ("--resource",), "Only with this resource; may be repeated.", "RESOURCE", many=True, complete="resource"
            ),
            Option(
                ("--state",),
                "Only waiting, pending, active or ended; may be repeated.",
                "STATE",
                many=True,
                complete="state",
            ),
            Option(("--all",), "Also what has ended."),
            Option(("--limit",), "At most so many (default 200).", "NUMBER", kind="int"),
        ),
    ),
    Command(
        "who",
        "Who holds a resource, until when, why, and who comes next.",
        run="show:who",
        examples=(("who rack3", "now and next"),),
        arguments=(Argument("RESOURCE", complete="resource"),),
    ),
    Command(
        "show",
        "Everything about one reservation.",
        run="show:show",
        examples=(("show 8f3a2c10", "by the short id, or the start of the long one"),),
        arguments=(Argument("ID", complete="reservation"),),
    ),
    Command(
        "free",
        "From when each resource is free, and until when.",
        run="show:free",
        examples=(
            ("free", "everything the book knows"),
            ("free rack3 analyser --for 2h", "the first two hours of each"),
        ),
        arguments=(Argument("RESOURCE", many=True, required=False, complete="resource"),),
        options=(
            Option(("--for",), "Free for at least so long.", "DURATION"),
            Option(("--at",), "From when on (default: now).", "TIME"),
        ),
    ),
    Command(
        "log",
        "Every change of the book: who, what, when.",
        run="log:log",
        examples=(
            ("log", "the latest changes"),
            ("log --resource rack3 --limit 100", "what happened to rack3"),
            ("log --id 8f3a2c10", "what happened to one reservation"),
            ("log --follow", "the latest, then each new one"),
        ),
        options=(
            Option(("--resource",), "Only with this resource.", "RESOURCE", complete="resource"),
            Option(("--id",), "Only of this reservation.", "ID", complete="reservation"),
            Option(("--limit",), "At most so many, the latest (default 50).", "NUMBER", kind="int"),
            Option(("--after",), "Only after this entry, oldest first.", "SEQ", kind="int"),
            Option(("--follow",), "Then print each new one as it happens."),
        ),
    ),
    Command(
        "watch",
        "One line of JSON for each change, as it happens.",
        run="log:watch",
        text="Runs until it is interrupted. Nothing is polled: a change is printed in the moment of its commit.",
        examples=(("watch", "everything"), ("watch rack3 --after 120", "one resource, beginning after log entry 120")),
        arguments=(Argument("RESOURCE", many=True, required=False, complete="resource"),),
        options=(Option(("--after",), "Begin after this entry of the log (default: now).", "SEQ", kind="int"),),
    ),
)
