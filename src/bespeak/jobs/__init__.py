"""Jobs: a command reserved now is started at its time, exactly once, with nobody connected.

``reserve`` stores the intent, ``run`` is the dispatcher that starts it through a runner, and everything in between is
a row whose state changes only in a transaction. Nothing is imported here: ``job status`` must start quickly.
"""
