"""Commands of coord: agents say what they are about to change."""

from bespeak.argv.declarations import Argument, Command, Group, Option

ADDRESSES = Argument("ADDRESS", many=True)
ID = Argument("ID")
RUN = Option(
    ("--run-id",), "For whom; at most 256 characters (default: $BESPEAK_RUN_ID, else the calling session).", "ID"
)
TTL = Option(("--ttl",), "For how long, in seconds, 1 to 31536000 (default 3600).", "SECONDS")
SHARED_USE = Option(("--shared",), "Share it with others who share it.")
JSON = (Option(("-j",), "The same as --json."), Option(("--format",), "json or text.", "FORMAT"))

WHAT = """An address is a file (src/a.py), a symbol (src/a.py::Class.method), a folder (src/) or a pattern
('src/**/*.py'). Paths start from the folder you are in; :/ at the beginning means the root of the repository."""

ENTRIES = (
    Group(
        "coord",
        "Say what you are about to change, and hear who else is.",
        (
            Command(
                "coord reserve",
                "Claim files, symbols, folders or patterns for a run.",
                run="coord:reserve",
                text="Claims of other runs that overlap are told, and stop nothing: the reservation is made. With "
                "--on-conflict fail it is not, and the exit code is 7.\n\n" + WHAT,
                examples=(
                    ("coord reserve src/billing.py::compute_total --run-id agent-42", "before you edit it"),
                    ("coord reserve src/auth.py src/tokens/ --op modify --ttl 7200", "a file and a folder, two hours"),
                    ("coord reserve 'src/**/*.py' --shared --json", "for a program"),
                    ("coord reserve src/auth.py --on-conflict fail", "or not at all"),
                ),
                arguments=(ADDRESSES,),
                options=(
                    RUN,
                    TTL,
                    Option(("--op",), "What you will do: rename, move, modify, extract or delete.", "OPERATION"),
                    Option(
                        ("--depends-on",), "A reservation that must be over first; may be repeated.", "ID", many=True
                    ),
                    SHARED_USE,
                    Option(("--on-conflict",), "warn (default) or fail.", "WHAT"),
                    Option(("--key",), "Your name for this request: repeated, it returns the same reservation.", "KEY"),
                    *JSON,
                ),
            ),
            Command(
                "coord check",
                "Who else holds what overlaps: exit 0 if nobody, 7 if somebody.",
                run="coord_check:check",
                text="Changes nothing, and answers fast: the call to make before each edit.\n\n" + WHAT,
                examples=(("coord check src/billing.py", "may I edit this file?"),),
                arguments=(ADDRESSES,),
                options=(RUN, Option(("--shared",), "Shared claims are not in the way."), *JSON),
            ),
            Command(
                "coord release",
                "Give a reservation back, at once.",
                run="coord_modify:release",
                text="Giving back what is already over is no fault (already_released, exit 0).",
                examples=(
                    ("coord release sha256:0a1b2c --run-id agent-42", "one, by the start of its id"),
                    ("coord release --mine", "all that this run has claimed"),
                ),
                arguments=(Argument("ID", required=False),),
                options=(RUN, Option(("--mine",), "All that the run has claimed."), *JSON),
            ),
            Command(
                "coord heartbeat",
                "Keep a reservation from expiring.",
                run="coord_modify:heartbeat",
                text="It then expires so many seconds from now, or as late as it would have anyway. Exit 1 means stop: "
                "it was released (already_released) or has expired.",
                examples=(("coord heartbeat sha256:0a1b2c --extension 600", "ten more minutes from now"),),
                arguments=(ID,),
                options=(RUN, Option(("--extension",), "Seconds from now (default 3600).", "SECONDS"), *JSON),
            ),
            Command(
                "coord list",
                "What is claimed and intended.",
                run="coord_show:list_",
                examples=(
                    ("coord list", "everything active"),
                    ("coord list --address src/ --json", "what touches a folder"),
                    ("coord list --all --run-id agent-42", "also what is over"),
                ),
                options=(
                    Option(("--all",), "Also what is over."),
                    Option(("--run-id",), "Only of this run.", "ID"),
                    Option(("--branch",), "Only made on this branch.", "BRANCH"),
                    Option(("--address",), "Only what overlaps it; may be repeated.", "ADDRESS", many=True),
                    *JSON,
                ),
            ),
            Command(
                "coord intent",
                "Declare an operation before you do it.",
                run="coord_modify:intent",
                text="It ends with its reservation, else after --ttl.",
                examples=(
                    ("coord intent src/a.py::f --op rename --detail 'f becomes g'", "for an hour"),
                    ("coord intent src/a.py::f --op delete --reservation-id sha256:0a1b2c", "as long as it is held"),
                ),
                arguments=(ADDRESSES,),
                options=(
                    Option(("--op",), "rename, move, modify, extract, delete, inline, split or merge.", "OPERATION"),
                    Option(("--detail",), "A word about it.", "TEXT"),
                    Option(("--reservation-id",), "It ends with this reservation.", "ID"),
                    RUN,
                    TTL,
                    *JSON,
                ),
            ),
            Command(
                "coord depend",
                "Let a reservation wait for others.",
                run="coord_modify:depend",
                text="Refused if it would close a circle.",
                examples=(("coord depend sha256:0a1b2c --on ID", "with the full id of the one it waits for"),),
                arguments=(ID,),
                options=(
                    Option(("--on",), "The full id of a reservation that must be over first.", "ID", many=True),
                    RUN,
                    *JSON,
                ),
            ),
            Command(
                "coord dag",
                "Which reservations are ready, and which wait for which.",
                run="coord_show:dag",
                examples=(
                    ("coord dag", "in waves"),
                    ("coord dag --ready --json", "what can go on now"),
                    ("coord dag --mermaid", "as a picture"),
                ),
                options=(
                    Option(("--ready",), "Only what waits for nothing."),
                    Option(("--dot",), "For Graphviz."),
                    Option(("--mermaid",), "For Mermaid."),
                    *JSON,
                ),
            ),
            Command(
                "coord symbols",
                "What is at an address, who depends on it, and on what it depends.",
                run="coord_symbols:symbols",
                text="Functions, classes, methods and constants, as the source files at HEAD tell (extra: symbols). "
                "With --callers or --callees also the calls, uses and derivations around them: how each name was "
                "resolved, and how sure that is. What could not be read is said.\n\n" + WHAT,
                examples=(
                    ("coord symbols src/billing.py", "what is in a file"),
                    ("coord symbols src/billing.py::compute_total --callers --depth 2", "who feels a change"),
                    ("coord symbols src/billing.py::compute_total --callees --worktree", "as the files are now"),
                    ("coord symbols src/ --callers --mermaid", "as a picture"),
                ),
                arguments=(ADDRESSES,),
                options=(
                    Option(("--callers",), "Show who depends on it."),
                    Option(("--callees",), "Show on what it depends."),
                    Option(("--depth",), "Over how many steps, 1 to 20 (default 1).", "N", kind="int"),
                    Option(("--rev",), "The revision to look at (default HEAD).", "REV"),
                    Option(("--worktree",), "Look at the files as they are, committed or not."),
                    Option(("--limit",), "How many steps to show (default 200; 0 for all).", "NUMBER", kind="int"),
                    Option(("--dot",), "For Graphviz."),
                    Option(("--mermaid",), "For Mermaid."),
                    *JSON,
                ),
            ),
            Command(
                "coord forecast",
                "What is going to collide: overlaps, operations, and who depends on what is changed.",
                run="coord_forecast:forecast",
                text="Of all that is claimed and intended on any branch. address_overlap: two runs claim one place; "
                "operation_conflict: what they declared does not go together; blast_radius_overlap: what one is to "
                "change is called, used or inherited by what the other holds, as the source files at HEAD tell "
                "(extra: symbols). What could not be read is said. Exit 0, unless --fail-on says otherwise.",
                examples=(
                    ("coord forecast", "everything"),
                    ("coord forecast --run-id agent-42 --json", "what concerns one run, for a program"),
                    ("coord forecast --worktree --depth 1", "direct callers only, files as they are now"),
                    ("coord forecast --fail-on operation_conflict", "exit 7 if there is one"),
                    ("coord forecast --mermaid", "as a picture"),
                ),
                options=(
                    Option(("--branch",), "Only what a claim made on this branch takes part in.", "BRANCH"),
                    Option(("--run-id",), "Only what this run takes part in.", "ID"),
                    Option(("--depth",), "How many calls away a change is felt, 0 to 20 (default 3).", "N", kind="int"),
                    Option(("--rev",), "The revision whose symbols count (default HEAD).", "REV"),
                    Option(("--worktree",), "The files as they are count, committed or not."),
                    Option(("--min-confidence",), "Leave out what is less sure, 0 to 1 (default 0.3).", "NUMBER"),
                    Option(
                        ("--limit",), "How many of each kind to show (default 100; 0 for all).", "NUMBER", kind="int"
                    ),
                    Option(
                        ("--fail-on",),
                        "Exit 7 if there is one of this KIND, or any; may be repeated.",
                        "KIND",
                        many=True,
                    ),
                    Option(("--dot",), "For Graphviz."),
                    Option(("--mermaid",), "For Mermaid."),
                    *JSON,
                ),
            ),
            Command(
                "coord plan-merge",
                "What a merge would do, symbol by symbol, with conflicts that git does not see.",
                run="coord_merge:plan_merge",
                text="OURS is what is merged into, THEIRS what is merged; both are any revision that git knows. "
                "Nothing is merged, and neither work tree nor index is touched. Every file that git would leave "
                "in conflict is in the plan, and so is what breaks although git merges it: a function renamed, moved "
                "or deleted that the other side newly uses, a call that a changed signature no longer takes, one name "
                "defined twice (extra: symbols). Exit 0, unless --fail-on says otherwise.",
                examples=(
                    ("coord plan-merge main feature", "before you merge"),
                    ("coord plan-merge HEAD origin/main --json", "for a program"),
                    ("coord plan-merge main feature --fail-on any", "exit 7 if a conflict is predicted"),
                    ("coord plan-merge main feature --mermaid", "as a picture"),
                ),
                arguments=(Argument("OURS"), Argument("THEIRS")),
                options=(
                    Option(("--all",), "Also what only one side changed, and faint suspicions."),
                    Option(
                        ("--fail-on",),
                        "Exit 7 if there is a conflict that is textual, semantic, or worth a review; any means textual "
                        "or semantic; may be repeated.",
                        "WHAT",
                        many=True,
                    ),
                    Option(("--dot",), "For Graphviz."),
                    Option(("--mermaid",), "For Mermaid."),
                    *JSON,
                ),
            ),
            Command(
                "coord reconcile",
                "In which order to merge branches, and what git needs for each.",
                run="coord_merge:reconcile",
                text="Branches with active claims, or those named: what their reservations depend on first, then who "
                "conflicts least with the others. Strategies: already_merged, fast_forward, merge, rebase_after, "
                "manual. Each is tried in that order in a store that is thrown away. Exit 0, unless --fail-on "
                "says otherwise.",
                examples=(
                    ("coord reconcile", "all branches on which something is claimed"),
                    ("coord reconcile feature-a feature-b --onto release", "these two, into another branch"),
                    ("coord reconcile --json --fail-on any", "exit 7 if one needs a hand, or they wait for each other"),
                ),
                arguments=(Argument("BRANCH", many=True, required=False),),
                options=(
                    Option(("--onto",), "What they are merged into (default: the origin's branch, else main).", "REV"),
                    Option(
                        ("--fail-on",),
                        "Exit 7 if a branch has this strategy, or there is a cycle; any means manual or cycle; "
                        "may be repeated.",
                        "WHAT",
                        many=True,
                    ),
                    Option(("--dot",), "For Graphviz."),
                    Option(("--mermaid",), "For Mermaid."),
                    *JSON,
                ),
            ),
            Command(
                "coord watch",
                "One line of JSON for each change, as it happens.",
                run="coord_show:watch",
                text="Runs until it is interrupted. Nothing is polled; what expires is told at that instant.",
                examples=(("coord watch", "from now on"), ("coord watch --after 120", "from change 121 on")),
                options=(
                    Option(("--after",), "Begin after this change (default: now).", "SEQ", kind="int"),
                    Option(("--count",), "End after so many.", "NUMBER", kind="int"),
                ),
            ),
            Command(
                "coord guard",
                "Have git, and agents before an edit, ask who holds what.",
                run="coord_guard:guard",
                text="install puts a pre-commit and a pre-push hook into this clone, which first run those that were "
                "there, and prints the configuration that makes a coding agent ask before each edit; remove takes "
                "them out again. commit, push and edit are what the hooks call. A claim of another run on a "
                "part of a file that you hold another part of is not in your way.",
                examples=(
                    ("coord guard install", "warn"),
                    ("coord guard install --refuse", "refuse commits and pushes of what another run has claimed"),
                    ("coord guard remove", "take the hooks out"),
                ),
                arguments=(Argument("ACTION", choices=("install", "remove", "commit", "push", "edit")),),
                options=(
                    Option(("--refuse",), "Refuse instead of warning."),
                    Option(("--remote",), "The remote that is pushed to (for push).", "NAME"),
                    RUN,
                ),
            ),
            Command(
                "coord gc",
                "Remove what has been over for some time.",
                run="coord_modify:gc",
                examples=(("coord gc --older-than 30d", "reservations, intents and changes of long ago"),),
                options=(
                    Option(
                        ("--older-than",), "For how long: 30d, 12h, 0 for all that is over (default 30d).", "DURATION"
                    ),
                    *JSON,
                ),
            ),
            Command(
                "coord guide",
                "How an agent should use all this.",
                run="coord_show:guide",
                examples=(("coord guide --agents-md", "as a fragment to be added to AGENTS.md"),),
                options=(Option(("--agents-md",), "As a fragment for AGENTS.md."),),
            ),
        ),
    ),
)
