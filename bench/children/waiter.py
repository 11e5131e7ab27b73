"""Stand in line for one resource, say when it was had (monotonic ns), give it back; again for each pair of lines read.

python waiter.py BOOK RESOURCE
"""

import sys
import time

from bespeak.base.clock import HOUR_US
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request


def main(url: str, resource: str) -> None:
    holder = Holder("bob")
    with open_ledger(url) as ledger:
        while sys.stdin.readline():
            held = ledger.queue(Request((resource,), holder, duration_us=HOUR_US))
            print(time.monotonic_ns(), flush=True)
            sys.stdin.readline()
            ledger.release(held.id, holder)
            print("free", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
