"""Commands that change the book."""

from bespeak.argv.declarations import Argument, Command, Option

FOR = Option(("--for",), "How long: 90s, 15m, 2h, 1d, 1h30m, or forever.", "DURATION")
UNTIL = Option(("--until",), "Until when, instead of --for: a time, or forever.", "TIME")
AT = Option(
    ("--at",), "From when: 14:00, fri 14:00, tomorrow 9:00 Europe/Berlin, +2h, ISO 8601 (default: now).", "TIME"
)
SHARED_USE = Option(("--shared",), "Share it with others who share it.")
PURPOSE = Option(("--purpose",), "What for; whoever is refused reads it.", "TEXT")
TAG = Option(("--tag",), "A note for programs; may be repeated.", "KEY=VALUE", many=True)
PRIORITY = Option(("--priority",), "Place in line: higher goes first (default 0).", "NUMBER", kind="int")
RESOURCES = Argument("RESOURCE", many=True, complete="resource")
RESERVATION = Argument("ID", complete="reservation")

TIMES = """Durations are written 90s, 15m, 2h, 1d, 1h30m. Times are written 14:00, fri 14:00, tomorrow 9:00, +2h,
2026-11-24T14:00+01:00, and may end with a zone such as Europe/Berlin. What can be read in two ways is refused, with
the readings it could have."""

ENTRIES = (
    Command(
        "reserve",
        "Book resources, now or later: all of them, or none.",
        run="reserve:reserve",
        text="If somebody is in the way, the answer says who, until when, why, and the first time all are free; --next "
        "takes that time, --wait waits in line for it.\n\n" + TIMES,
        examples=(
            ("reserve rack3 --for 2h", "take rack3 for two hours"),
            ("reserve rack3 analyser --at '2030-05-01 14:00' --for 90m --purpose 'thermal run'", "book two together"),
            ("reserve rack3 --for 1h --next", "take the first hour that is free"),
            ("reserve rack3 --for 1h --wait 30m", "wait in line for at most half an hour"),
            ("reserve build-server --shared --for forever", "share it with others until you give it back"),
        ),
        arguments=(RESOURCES,),
        options=(
            FOR,
            UNTIL,
            AT,
            SHARED_USE,
            PURPOSE,
            TAG,
            Option(("--next",), "Take the first time from --at on at which all are free."),
            Option(("--wait",), "Wait in line, for at most TIMEOUT.", "TIMEOUT", optional_value=True),
            PRIORITY,
        ),
    ),
    Command(
        "extend",
        "Give a reservation a later end.",
        run="modify:extend",
        text="Refused if the next holder would lose.",
        examples=(("extend 8f3a2c10 --for 1h", "one hour longer"), ("extend 8f3a2c10 --until forever", "no end")),
        arguments=(RESERVATION,),
        options=(Option(("--for",), "How much longer.", "DURATION"), UNTIL),
    ),
    Command(
        "shorten",
        "Give a reservation an earlier end; the rest is free at once.",
        run="modify:shorten",
        examples=(
            ("shorten 8f3a2c10 --for 30m", "half an hour less"),
            ("shorten 8f3a2c10 --until '2030-05-01 15:00'", "a new end"),
        ),
        arguments=(RESERVATION,),
        options=(Option(("--for",), "How much less.", "DURATION"), UNTIL),
    ),
    Command(
        "release",
        "Give back what you hold, or leave the line.",
        run="modify:release",
        text="Names reservations by their id, or resources that you hold now. A word that is both is refused.",
        examples=(
            ("release 8f3a2c10", "one reservation"),
            ("release rack3 analyser", "what you hold of these"),
            ("release --mine", "everything you hold, booked or wait for"),
        ),
        arguments=(Argument("ID-OR-RESOURCE", many=True, required=False, complete="resource"),),
        options=(Option(("--mine",), "Everything that is yours."),),
    ),
    Command(
        "kick",
        "Take somebody's reservation away; the reason stays in the log.",
        run="modify:kick",
        examples=(("kick 8f3a2c10 --reason 'fire drill'", "the holder will read it"),),
        arguments=(RESERVATION,),
        options=(Option(("--reason",), "Why; must be given.", "TEXT"),),
    ),
    Command(
        "run",
        "Hold resources exactly as long as a command runs.",
        run="run:run",
        text="Takes the resources (with --wait: waits for them), runs the command, and gives them back however it "
        "ends. If this process dies, the hold lapses by itself. The command sees BESPEAK_RESERVATION, BESPEAK_NUMBER "
        "and BESPEAK_RESOURCES (one a line); signals are passed on; the exit code is the command's. With --for, the "
        "command is stopped when the time is over. Without it, the end moves on while the command runs, unless "
        "somebody waits for what is held or has booked what follows: that is said five minutes ahead. If the hold is "
        "lost or taken away, the command is stopped, unless --keep-going. Only kill -9 of bespeak itself leaves the "
        "command running.",
        examples=(
            ("run rack3 -- pytest tests/hw", "hold rack3 while the tests run"),
            ("run rack3 analyser --wait 1h --for 2h -- make soak", "wait an hour at most, stop after two"),
        ),
        arguments=(RESOURCES,),
        options=(
            FOR,
            SHARED_USE,
            PURPOSE,
            TAG,
            Option(("--wait",), "Wait in line, for at most TIMEOUT.", "TIMEOUT", optional_value=True),
            PRIORITY,
            Option(("--keep-going",), "If the hold is lost, warn and let the command run on."),
            Option(
                ("--keepalive",),
                "The hold lapses so long after this process last gave a sign of life.",
                "DURATION",
            ),
        ),
        tail="COMMAND",
    ),
)
