"""Commands of the gate: may this user touch this lab?"""

from bespeak.argv.declarations import Argument, Command, Group, Option

ENTRIES = (
    Command(
        "gate",
        "Run a command only if you hold what the lab needs.",
        run="gate:gate",
        text="Asks again while the command runs: a reservation that is about to end is announced, one that has ended "
        "is said, and with --strict the command is stopped. Exits with the command's own code; 8 when refused, 9 when "
        "the backend cannot be asked. Without a command it only checks.",
        examples=(
            ("gate -l demo -- pytest tests/hw", "run the tests if you hold the lab"),
            ("gate -l demo", "only check"),
            ("gate -l demo --strict -- make soak", "stop it when the reservation ends"),
        ),
        options=(
            Option(("--strict",), "Stop the command when the reservation has ended."),
            Option(("--warn",), "Announce an end so long ahead (default 5m).", "DURATION"),
            Option(("--every",), "Ask again so often (default 30s).", "DURATION"),
        ),
        tail="COMMAND",
    ),
    Group(
        "reservation",
        "What the gate thinks of you.",
        (
            Command(
                "reservation whoami",
                "Print the user, where the name comes from, the backend and the lab.",
                run="reservation:whoami",
                examples=(("reservation whoami", "needs no lab"),),
            ),
            Command(
                "reservation check",
                "Print what the lab needs, and whether you hold it.",
                run="reservation:check",
                text="Really checks, even with -R. Exits 0 if allowed; 1 if refused, if the backend cannot be asked, "
                "or if none is configured.",
                examples=(("-l demo reservation check", "the verdict, and exit code 0 or 1"),),
            ),
        ),
    ),
    Group(
        "lab",
        "The labs that can be named here.",
        (
            Command("lab list", "All labs.", run="lab:list_", examples=(("lab list", "names and what they need"),)),
            Command(
                "lab show",
                "What one lab is made of.",
                run="lab:show",
                examples=(("lab show demo", "hosts and resources"),),
                arguments=(Argument("LAB", required=False, complete="lab"),),
            ),
            Command(
                "lab check",
                "Read all lab data and name what is wrong with it.",
                run="lab:check",
                examples=(("lab check", "every file, every field"),),
                arguments=(Argument("LAB", required=False, complete="lab"),),
            ),
        ),
    ),
)
