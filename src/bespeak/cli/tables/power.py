"""Commands that act on hosts: switch them, restart them, run something on them."""

from bespeak.argv.declarations import Argument, Command, Group, Option

_HOSTS = (Argument("HOST", many=True, required=False, complete="host"),)
_WHICH = (
    Option(("--all",), "Every host of the lab that can be switched."),
    Option(("--label",), "Hosts whose labels match, such as 'arm64 and not usb2'.", "EXPR"),
    Option(("--at-once",), "Work on at most so many hosts at the same time (default 64).", "NUMBER", kind="int"),
)
_CAREFUL = (
    Option(("--stagger",), "Wait so long between two hosts (default: not at all).", "DURATION"),
    Option(
        ("--number",),
        "The fencing number you were given; refused if it is stale. [env: BESPEAK_NUMBER, as `bespeak run` sets it]",
        "NUMBER",
        kind="int",
    ),
    Option(("--dry-run",), "Ask the gate and say what would be done; do nothing."),
)
_TEXT = (
    "First asks the gate for what the hosts need: if one is not yours, none is touched (exit code 8). Then each is "
    "switched by what its power_control says, and its state is read back. Exits 0 only if every host did."
)


def _switch(name: str, summary: str, example: tuple[str, str]) -> Command:
    return Command(
        f"power {name}",
        summary,
        run=f"power:{name}",
        text=_TEXT,
        examples=(example,),
        arguments=_HOSTS,
        options=(*_WHICH, *_CAREFUL),
    )


ENTRIES = (
    Group(
        "power",
        "Switch hosts on and off, if you hold them.",
        (
            _switch("on", "Switch hosts on.", ("power on router1 router2", "both at the same time")),
            _switch("off", "Switch hosts off.", ("-l bench power off --all --stagger 2s", "one every two seconds")),
            _switch("cycle", "Switch hosts off, and on again.", ("power cycle router1", "off, seen to be off, on")),
            _switch("toggle", "Switch hosts to the other state; never blindly.", ("power toggle plug7", "on if off")),
            Command(
                "power status",
                "Tell which hosts are on. Needs no reservation.",
                run="power:status",
                text="Exits 0 if the state of every host is known, 1 if not.",
                examples=(("-l bench power status --all", "the whole bench"),),
                arguments=_HOSTS,
                options=_WHICH,
            ),
        ),
    ),
    Group(
        "host",
        "Look at hosts, and use the systems that run on them.",
        (
            Command(
                "host list",
                "The hosts of the lab: where they are and what switches them.",
                run="host:list_",
                examples=(("-l bench host list", "every host, and what is wrong with its data"),),
                options=_WHICH[1:2],
            ),
            Command(
                "host exec",
                "Run a command on hosts you hold.",
                run="host:exec_",
                text="Exits 0 only if the command did everywhere. The words after -- are one line for the shell there.",
                examples=(("host exec router1 router2 -- uptime", "on both at the same time"),),
                arguments=_HOSTS,
                options=(*_WHICH, Option(("--timeout",), "End it after so long (default 10m).", "DURATION")),
                tail="COMMAND",
            ),
            Command(
                "host reboot",
                "Restart hosts you hold.",
                run="host:reboot",
                examples=(
                    ("host reboot router1 --wait", "until it can be reached again"),
                    ("host reboot router1 --hard", "by cutting its power"),
                ),
                arguments=_HOSTS,
                options=(
                    *_WHICH,
                    *_CAREFUL,
                    Option(("--hard",), "Cut the power instead of asking the system."),
                    Option(("--wait",), "Return when they can be reached again."),
                    Option(("--timeout",), "How long to wait for that (default 10m).", "DURATION"),
                ),
            ),
            Command(
                "host shutdown",
                "Shut hosts down that you hold, from their own systems.",
                run="host:shutdown",
                examples=(("host shutdown router1", "the power stays as it is"),),
                arguments=_HOSTS,
                options=(*_WHICH, *_CAREFUL),
            ),
            Command(
                "host wait",
                "Wait until hosts can be reached. Needs no reservation.",
                run="host:wait",
                text="Exits 10 if one did not in time.",
                examples=(("host wait router1 --timeout 5m", "or --down, until it cannot be reached"),),
                arguments=_HOSTS,
                options=(
                    *_WHICH,
                    Option(("--down",), "Until they cannot be reached."),
                    Option(("--timeout",), "How long (default 10m).", "DURATION"),
                ),
            ),
        ),
    ),
)
