"""The index of ``bespeak``: every command with its line of help, and the module that declares and handles it.

A new command is a function with :func:`bespeak.argv.declarations.command` above it, and a line here.
"""

from __future__ import annotations

from bespeak.argv.declarations import Entry, Option, Program

SHARED = (
    Option(
        ("--ledger",),
        "The book: a path, https://... or postgresql://... (default: settings, else a file of yours).",
        "URL",
    ),
    Option(("--as-user",), "Act for this user; said on every use, and recorded.", "USER", complete="user"),
    Option(
        ("-R", "--skip-reservation-check"),
        "Skip the gate's check. For a broken scheduler only; loud, and logged.",
    ),
    Option(
        ("-l", "--lab"),
        "The lab; repeat it or separate with commas. [env: BESPEAK_LAB]",
        "LAB",
        many=True,
        complete="lab",
    ),
    Option(("--json",), "Print one JSON document instead of text."),
    Option(("--debug",), "Show the full traceback of an error."),
    Option(("--no-color",), "No colours, even on a terminal."),
)
"""The options that every command takes, before its name or after it."""

_OTHER_WORDS = {
    "help": "--help",
    "version": "--version",
    "book": "reserve",
    "acquire": "reserve",
    "lock": "reserve",
    "wait": "reserve --wait",
    "exec": "run",
    "unlock": "release",
    "cancel": "release",
    "status": "list",
    "ls": "list",
    "info": "show",
    "history": "log",
    "check": "reservation check",
    "claim": "coord reserve",
}

PROGRAM = Program(
    "bespeak",
    "One book of reservations that people, CI jobs and coding agents share, and that tools obey.",
    (
        Entry("reserve", "Book resources, now or later: all of them, or none.", "bespeak.cli.reserve:reserve"),
        Entry("extend", "Give a reservation a later end.", "bespeak.cli.modify:extend"),
        Entry("shorten", "Give a reservation an earlier end; the rest is free at once.", "bespeak.cli.modify:shorten"),
        Entry("move", "Give a reservation that has not begun another time.", "bespeak.cli.rebooking:move"),
        Entry("transfer", "Give a reservation to a person or a team.", "bespeak.cli.rebooking:transfer"),
        Entry("swap", "Let two reservations change hands.", "bespeak.cli.rebooking:swap"),
        Entry("release", "Give back what you hold, or leave the queue.", "bespeak.cli.modify:release"),
        Entry("kick", "Take somebody's reservation away; the reason stays in the log.", "bespeak.cli.modify:kick"),
        Entry("approve", "Approve a reservation that awaits it.", "bespeak.cli.approval:approve"),
        Entry("refuse", "Refuse a reservation that awaits approval.", "bespeak.cli.approval:refuse"),
        Entry("touch", "Say that you use what you hold: check in, or keep it.", "bespeak.cli.modify:touch"),
        Entry("run", "Hold resources exactly as long as a command runs.", "bespeak.cli.run:run"),
        Entry("list", "What is held, booked and waited for.", "bespeak.cli.show:list_"),
        Entry("who", "Who holds a resource, until when, why, and who comes next.", "bespeak.cli.show:who"),
        Entry("show", "Everything about one reservation.", "bespeak.cli.show:show"),
        Entry("free", "From when each resource is free, and until when.", "bespeak.cli.show:free"),
        Entry("log", "Every change of the book: who, what, when.", "bespeak.cli.log:log"),
        Entry("watch", "One line of JSON for each change, as it happens.", "bespeak.cli.log:watch"),
        Entry(
            "resource",
            "The things that can be reserved.",
            entries=(
                Entry("add", "Declare resources. Without it, the first use makes one.", "bespeak.cli.resource:add"),
                Entry("set", "Change what is declared about resources.", "bespeak.cli.resource:set_"),
                Entry("list", "All resources of the book.", "bespeak.cli.resource:list_"),
                Entry("show", "Everything that is declared about resources.", "bespeak.cli.inventory:show"),
                Entry("remove", "Remove a resource that nobody holds or has booked.", "bespeak.cli.resource:remove"),
                Entry("sync", "Make the inventory of the book what a file says.", "bespeak.cli.inventory:sync"),
                Entry("export", "Print the inventory of the book as a file.", "bespeak.cli.inventory:export"),
                Entry("maintenance", "Windows in which nobody gets a resource.", "bespeak.cli.maintenance:maintenance"),
                Entry("check", "Run health checks, and mark what fails.", "bespeak.cli.resource_check:check"),
                Entry("mark", "Say whether a resource is ok, sick or offline.", "bespeak.cli.maintenance:mark"),
            ),
        ),
        Entry(
            "ledger",
            "The book itself: what it decides, who may use it, its clock, its place.",
            entries=(
                Entry(
                    "move",
                    "Move the book to another place or engine; nothing is lost.",
                    "bespeak.cli.book_operations:move",
                ),
                Entry(
                    "policy",
                    "What the book itself decides, the same from every folder: strictness, rights, limits.",
                    "bespeak.cli.ledger:policy",
                ),
                Entry(
                    "grant",
                    "Give a role of the PostgreSQL server the least rights with which it can use the book.",
                    "bespeak.cli.ledger:grant",
                ),
                Entry(
                    "accept-clock",
                    "Take this machine's clock for right although the book was written later.",
                    "bespeak.cli.ledger:accept_clock",
                ),
            ),
        ),
        Entry(
            "rights",
            "Who may do what in the book.",
            entries=(
                Entry("grant", "Give somebody a role, on all resources or on some.", "bespeak.cli.rights:grant"),
                Entry("revoke", "Remove a rule, or the mapping of a workload.", "bespeak.cli.rights:revoke"),
                Entry("list", "The rules, groups and workloads of the book.", "bespeak.cli.rights:list_"),
                Entry("check", "Whether somebody may do something, and why.", "bespeak.cli.rights:check"),
                Entry("group", "Who is in a group of the book.", "bespeak.cli.rights:group"),
                Entry("map", "Let workloads of a CI system act as a holder.", "bespeak.cli.rights:map_"),
            ),
        ),
        Entry(
            "token",
            "What programs on other machines sign in with.",
            entries=(
                Entry("create", "Make a token; it is shown once.", "bespeak.cli.token:create"),
                Entry("list", "The tokens of the book and their last use.", "bespeak.cli.token:list_"),
                Entry("revoke", "Make a token worthless.", "bespeak.cli.token:revoke"),
            ),
        ),
        Entry(
            "report",
            "How the book was used, waited for and left: by resource, user, team, week.",
            "bespeak.cli.report:report",
        ),
        Entry("export", "Reservations as a file: JSON, CSV, iCalendar, otto.", "bespeak.cli.exchange:export"),
        Entry("import", "Reserve what such a file says.", "bespeak.cli.exchange:import_"),
        Entry(
            "series",
            "Reservations that come again (reserve --every).",
            entries=(
                Entry("list", "All series that have something left.", "bespeak.cli.series:list_"),
                Entry("show", "Each reservation of a series, also what is over.", "bespeak.cli.series:show"),
                Entry("cancel", "Cancel one, the rest or all of a series.", "bespeak.cli.series:cancel"),
                Entry("edit", "Give one, the rest or all another time of day or length.", "bespeak.cli.series:edit"),
            ),
        ),
        Entry("doctor", "What is wrong here, and what to do about it.", "bespeak.cli.doctor:doctor"),
        Entry("backup", "Copy the book to a file, also while it is used.", "bespeak.cli.book_operations:backup"),
        Entry("restore", "Fill the book from a backup.", "bespeak.cli.book_operations:restore"),
        Entry("prune", "Remove what has been over for long.", "bespeak.cli.book_operations:prune"),
        Entry(
            "calendar",
            "A day or a week by resource, and secret addresses that calendar programs subscribe to.",
            entries=(
                Entry(
                    "show", "Draw who has what on a day or in a week, by resource.", "bespeak.cli.calendar_show:show"
                ),
                Entry("link", "Make the address of a calendar; it is shown once.", "bespeak.cli.calendar:link"),
                Entry("list", "Your calendar links.", "bespeak.cli.calendar:list_"),
                Entry("revoke", "End a calendar link at once.", "bespeak.cli.calendar:revoke"),
            ),
        ),
        Entry(
            "notice",
            "What a server told you: your turn, ends soon, somebody waits, taken away.",
            entries=(
                Entry("list", "Your notices.", "bespeak.cli.notice:list_"),
                Entry("add", "Be told by webhook, mail or chat too.", "bespeak.cli.notice:add"),
                Entry("targets", "Where you are told.", "bespeak.cli.notice:targets_"),
                Entry("remove", "Be told there no more.", "bespeak.cli.notice:remove"),
                Entry("replay", "Send there again what was sent.", "bespeak.cli.notice:replay"),
            ),
        ),
        Entry("login", "Sign in at the server of a book.", "bespeak.cli.login:login"),
        Entry("logout", "Forget the sign-in at the server of a book.", "bespeak.cli.login:logout"),
        Entry("gate", "Run a command only if you hold what the lab needs.", "bespeak.cli.gate:gate"),
        Entry(
            "reservation",
            "What the gate thinks of you.",
            entries=(
                Entry(
                    "whoami",
                    "Print the user, where the name comes from, the backend, the lab and the book.",
                    "bespeak.cli.reservation:whoami",
                ),
                Entry("check", "Print what the lab needs, and whether you hold it.", "bespeak.cli.reservation:check"),
            ),
        ),
        Entry(
            "lab",
            "The labs that can be named here.",
            entries=(
                Entry("list", "All labs.", "bespeak.cli.lab:list_"),
                Entry("show", "What one lab is made of.", "bespeak.cli.lab:show"),
                Entry("check", "Read all lab data and name what is wrong with it.", "bespeak.cli.lab:check"),
            ),
        ),
        Entry(
            "power",
            "Switch hosts on and off, if you hold them.",
            entries=(
                Entry("on", "Switch hosts on.", "bespeak.cli.power:on"),
                Entry("off", "Switch hosts off.", "bespeak.cli.power:off"),
                Entry("cycle", "Switch hosts off, and on again.", "bespeak.cli.power:cycle"),
                Entry("toggle", "Switch hosts to the other state; never blindly.", "bespeak.cli.power:toggle"),
                Entry("status", "Tell which hosts are on. Needs no reservation.", "bespeak.cli.power:status"),
                Entry("watch", "Follow which hosts are on. Needs no reservation.", "bespeak.cli.power_watch:watch"),
                Entry("selftest", "Try out what switches a host you hold.", "bespeak.cli.power_selftest:selftest"),
            ),
        ),
        Entry(
            "host",
            "Look at hosts, and use the systems that run on them.",
            entries=(
                Entry("list", "The hosts of the lab: where they are and what switches them.", "bespeak.cli.host:list_"),
                Entry("exec", "Run a command on hosts you hold.", "bespeak.cli.host:exec_"),
                Entry("reboot", "Restart hosts you hold.", "bespeak.cli.host:reboot"),
                Entry(
                    "shutdown", "Shut hosts down that you hold, from their own systems.", "bespeak.cli.host:shutdown"
                ),
                Entry("wait", "Wait until hosts can be reached. Needs no reservation.", "bespeak.cli.host:wait"),
                Entry("boot", "Say what hosts start from that you hold.", "bespeak.cli.host_boot:boot"),
                Entry("console", "Use the console of a host you hold.", "bespeak.cli.host_console:console"),
                Entry("health", "Tell how hosts are. Needs no reservation.", "bespeak.cli.host_boot:health"),
            ),
        ),
        Entry(
            "coord",
            "Say what you are about to change, and hear who else is.",
            entries=(
                Entry(
                    "reserve",
                    "Claim files, symbols, folders or patterns for a run.",
                    "bespeak.cli.coord_reserve:reserve",
                ),
                Entry(
                    "check",
                    "Who else holds what overlaps: exit 0 if nobody, 7 if somebody.",
                    "bespeak.cli.coord_check:check",
                ),
                Entry("release", "Give a reservation back, at once.", "bespeak.cli.coord_modify:release"),
                Entry("heartbeat", "Keep a reservation from expiring.", "bespeak.cli.coord_modify:heartbeat"),
                Entry("list", "What is claimed and intended.", "bespeak.cli.coord_show:list_"),
                Entry("intent", "Declare an operation before you do it.", "bespeak.cli.coord_modify:intent"),
                Entry("depend", "Let a reservation wait for others.", "bespeak.cli.coord_modify:depend"),
                Entry("dag", "Which reservations are ready, and which wait for which.", "bespeak.cli.coord_show:dag"),
                Entry(
                    "symbols",
                    "What is at an address, who depends on it, and on what it depends.",
                    "bespeak.cli.coord_symbols:symbols",
                ),
                Entry(
                    "forecast",
                    "What is going to collide: overlaps, operations, and who depends on what is changed.",
                    "bespeak.cli.coord_forecast:forecast",
                ),
                Entry(
                    "plan-merge",
                    "What a merge would do, symbol by symbol, with conflicts that git does not see.",
                    "bespeak.cli.coord_merge:plan_merge",
                ),
                Entry(
                    "merge",
                    "Do a merge as its plan recommends; what is not certain is left to you.",
                    "bespeak.cli.coord_do_merge:merge",
                ),
                Entry(
                    "reconcile",
                    "In which order to merge branches, and what git needs for each.",
                    "bespeak.cli.coord_merge:reconcile",
                ),
                Entry("watch", "One line of JSON for each change, as it happens.", "bespeak.cli.coord_show:watch"),
                Entry(
                    "guard", "Have git, and agents before an edit, ask who holds what.", "bespeak.cli.coord_guard:guard"
                ),
                Entry("gc", "Remove what has been over for some time.", "bespeak.cli.coord_modify:gc"),
                Entry("guide", "How an agent should use all this.", "bespeak.cli.coord_show:guide"),
            ),
        ),
        Entry(
            "mcp",
            "The claims, the book and the gate as tools for agents (Model Context Protocol).",
            "bespeak.cli.mcp:mcp",
        ),
        Entry("serve", "The book for other machines: an HTTP API.", "bespeak.cli.serve:serve"),
        Entry(
            "agents",
            "Programs of coding agents in this repository.",
            entries=(
                Entry(
                    "setup",
                    "Give an agent the tools, and hooks that ask who has claimed what.",
                    "bespeak.cli.agents:setup",
                ),
            ),
        ),
        Entry("init", "Write .bespeak/settings.toml for a repository, and trust it.", "bespeak.cli.trust:init"),
        Entry(
            "trust",
            "Let a folder's settings and lab data name code, a book, secrets and commands.",
            "bespeak.cli.trust:trust",
        ),
        Entry("runner", "Run one command as a job that outlives its shell.", "bespeak.runner.cli:PROGRAM"),
        Entry("job", "Start a command later, exactly once.", "bespeak.jobs.cli:PROGRAM"),
        Entry("completion", "Print the completion script for a shell.", "bespeak.cli.completion:script"),
    ),
    shared=SHARED,
    main="bespeak.cli.main:main",
    sources="bespeak.cli.completion:SOURCES",
    other_words=_OTHER_WORDS,
)
