"""A foreign runner that starts the job and then answers as a test wants, badly for instance."""

import os

from support.job_sites import Site

RUNNER = r"""#!/bin/sh
# Runs the command of each start call, keeps the job under its run key, and answers as the line ANSWER says.
# In one write with its end of line, so that lines of calls side by side do not mix.
printf '%s' "$*
" >>"$STUB_LOG"
command=$1; key=$3; shift 3
case "$command" in
    start)
        while [ "$1" != -- ]; do shift; done; shift
        "$@"
        words=$(printf ',"%s"' "$@")
        job="{\"job_id\": \"job-$key\", \"run_key\": \"$key\", \"command\": [${words#,}], \"started_at\": $(date +%s)}"
        printf '%s\n' "$job" >"$STUB_LOG.job"
        ANSWER ;;
    status)
        STATUS
        [ -e "$STUB_LOG.job" ] || exit 3
        cat "$STUB_LOG.job" ;;
esac
"""
GOOD = "cat $STUB_LOG.job"
"""The answer of a runner that behaves."""


def runner(site: Site, answer: str, status: str = "") -> str:
    """Write the runner and return its path.

    Args:
        site: where.
        answer: what it does after it has started a job, in the words of a shell.
        status: what it does first when it is asked for a status.
    """
    return site.stub("unclear", RUNNER.replace("ANSWER", answer).replace("STATUS", status))


def reserve(site: Site) -> str:
    """Reserve a command under ``k``; return the file that it writes a line to."""
    body = os.path.join(site.folder, "body")
    done = site.call("reserve", "--run-key", "k", "--", "/bin/sh", "-c", f"echo ran >>{body}")
    assert done.code == 0
    return body


def runs(body: str) -> int:
    """Return how often the command has run."""
    if not os.path.exists(body):
        return 0
    with open(body, encoding="ascii") as file:
        return len(file.readlines())
