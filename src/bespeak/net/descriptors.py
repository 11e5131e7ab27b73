"""How many connections a process has descriptors for."""

from __future__ import annotations

import resource

_OWN = 256
"""Descriptors for the book, threads, logs and listening sockets."""
_MOST = 65_536


def connections_for(wanted: int, sockets: int) -> int:
    """Return how many connections each of some listening sockets may have, after asking for room for them.

    Args:
        wanted: so many for each.
        sockets: how many sockets listen.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        soft = limit
    return wanted if soft == resource.RLIM_INFINITY else max(min(wanted, (soft - _OWN) // sockets // 2), 16)
