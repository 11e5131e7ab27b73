"""Reserve and release random resources of a book for some seconds; one of several processes that do.

python hold_loop.py BOOK SEED FIRST LAST SECONDS
"""

import json
import random
import sys
import time

from bespeak.base.clock import MINUTE_US
from bespeak.base.errors import BusyError
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request

WARM = 6
"""Pairs before the clock starts: what a connection reads and prepares once belongs to no operation."""


def main(url: str, seed: str, first: str, last: str, seconds: str) -> None:
    chance = random.Random(int(seed))
    holder = Holder(f"user{seed}")
    pairs: list[float] = []
    with open_ledger(url) as ledger:

        def pair() -> bool:
            name = f"r{chance.randrange(int(first), int(last)):05}"
            try:
                made = ledger.reserve(Request((name,), holder, duration_us=MINUTE_US))
            except BusyError:
                return False
            ledger.release(made.id, holder)
            return True

        for _ in range(WARM):
            pair()
        print("ready", flush=True)
        sys.stdin.readline()
        until = time.perf_counter() + float(seconds)
        while (started := time.perf_counter()) < until:
            if pair():
                pairs.append((time.perf_counter() - started) * 1000)
    print(json.dumps({"operations": 2 * len(pairs), "pairs_ms": pairs}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
