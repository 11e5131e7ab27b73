"""What an agent is told about these tools: in a few lines at once, and in a page on request."""

INSTRUCTIONS = """\
bespeak keeps agents that share a repository, and people who share machines, out of each other's way.
- Before you edit code: reserve what you will change, as narrowly as you can. If `conflicts` is not empty, another run \
is about to change the same thing: take other work first, or reserve with on_conflict fail, and wait.
- The answer's run_id is you: give it with every later call. On the command line, set BESPEAK_RUN_ID to it.
- Long work: heartbeat before the claim expires; any status but ok means stop. Done or giving up: release.
- Machines, labs, licences: book_reserve before you use one, book_wait to wait in the queue, book_release afterwards; \
gate_check tells whether you may touch a lab now.
- A refusal is an answer, with who holds what, until when and when it is free next; do not work around it.
"""

GUIDE = """\
# How to work beside others with these tools

## Code

1. `reserve` what you will change before you change it, as narrowly as you can: a symbol (src/billing.py::total) rather
   than its file, a file rather than its folder. Say what you will do with `op`.
2. Read `conflicts`. If it is not empty, another run is about to change the same thing: take other work first, or wait
   until it is released: `wait` tells, do not ask again and again. With `on_conflict` "fail" nothing is claimed then,
   and exactly one of several runs wins.
3. The answer's `run_id` is you. Give it with every later call, and set BESPEAK_RUN_ID to it for commands that you
   start: then hooks and commands know that your claims are yours.
4. `check` before each edit of something that you have not claimed. It changes nothing.
   `symbols` with `callers` tells who would notice a change, `forecast` what is going to collide.
5. Work that has to come after a claim of another: `depends_on`, or `depend` later. `dag` with `ready` says what can go
   on now. Renames, moves and deletions: say so with `intent`, so that forecasts know.
6. Long work: `heartbeat` before `expires_at`. Any status but ok means stop: it is yours no more.
7. Done, or giving up: `release` the claim, or all of yours with `mine`. When the connection ends, what you claimed
   under its run_id is given back; claims under a run_id of your own choice stay until they expire.
8. To repeat a request safely after a time-out, give it a `key`: the same reservation is returned.

## Machines, labs, licences

- `book_free` and `book_who` tell when something is free and who has it; `book_reserve` books it, now or later.
- If it is refused: `next` takes the first time at which all are free; `book_wait` waits in the queue, and cancelling
  that call leaves the queue. What you took, give back with `book_release`; extend it with `book_extend`.
- `resources` and `mine` mean what this session has booked; what others booked under your account ends by its id only.
- `gate_check` before you touch a lab: it says whether you, and no other agent of your account, hold all
  that the lab needs, and if not, who does.

A refusal is an answer and not a failure: it says who holds what, until when, and when it is free next. Errors begin
with a code: USAGE means that the request is wrong, NOT_FOUND, BUSY, WRONG_STATE and UNAVAILABLE mean what they say.
"""
