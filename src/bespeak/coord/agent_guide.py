"""What an agent has to know to work with others in one repository."""

_STEPS = """\
1. Before you edit, claim what you will change, as narrowly as you can:
       bespeak coord reserve src/billing.py::compute_total --op modify --json
   Files, symbols (path::Class.method), folders (src/billing/) and patterns ('src/**/*.py') can be claimed.
2. Read "conflicts" in the answer. If it is not empty, another run is about to change the same thing: take other work
   first, or wait until it is released. With --on-conflict fail nothing is claimed then (exit 7), so that exactly one
   run wins.
3. If your work has to come after a claim of another, say so: --depends-on ID. `bespeak coord dag --ready` shows what
   can go on now.
4. Long work: `bespeak coord heartbeat ID` before the reservation expires. Exit 1 means stop: it is yours no more.
5. When you are done, or give up: `bespeak coord release ID`, or `bespeak coord release --mine`.
"""
_RULES = """\
- All commands of one agent must have one run id. Set BESPEAK_RUN_ID once at the start of your work (agent-42, or the
  name of your task); without it, the id is that of your terminal session.
- `bespeak coord check PATH` tells whether somebody else holds a file: exit 0 free, 7 held. It changes nothing.
- `bespeak coord forecast --run-id ID` tells what your work will collide with though nobody claims the same thing: what
  you depend on and another run is changing, and what depends on what you change. Look before you begin something large.
- `bespeak coord watch` prints one line of JSON for each change; do not poll `list`.
- To repeat a request safely after a time-out, give it a name: --key NAME returns the same reservation again.
"""

GUIDE = f"""\
How to share a repository with other agents
===========================================

{_STEPS}
{_RULES}"""

AGENTS_MD = f"""\
## Working beside other agents

Several agents may work on this repository at once. Claims keep them apart; they are seen from every work tree.

{_STEPS}
{_RULES}"""
