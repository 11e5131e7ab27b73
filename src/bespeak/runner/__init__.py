"""The embedded one-shot job runner: starts a command under a key, once, and never forgets how it ended.

It has the command line of the published ``orchesjob`` and is called as a program (``bespeak runner start ...``) or
in process (:mod:`bespeak.runner.service`). ``supervise.c``, or ``supervise.sh`` where it was not
compiled, is the one small process that stays with each job.
"""
