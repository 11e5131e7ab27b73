"""Acquire and release labgrid places for some seconds, over the coordinator's own protocol, without the command line.

Run by the interpreter that has labgrid. Prints ``ready``, waits for a line, then prints what each pair took.

    python labgrid_load.py ADDRESS FIRST_PLACE LAST_PLACE SECONDS
"""

import json
import queue
import random
import sys
import time
from collections.abc import Iterator
from typing import Any

import grpc  # type: ignore[import-untyped,import-not-found,unused-ignore]
from labgrid.remote.generated import (  # type: ignore[import-not-found]
    labgrid_coordinator_pb2,
    labgrid_coordinator_pb2_grpc,
)

WARM = 6
"""Pairs before the clock starts, as for bespeak's clients."""


def main(address: str, first: str, last: str, seconds: str) -> None:
    stub = labgrid_coordinator_pb2_grpc.CoordinatorStub(grpc.insecure_channel(address))
    outgoing: queue.Queue[Any] = queue.Queue()
    hello = labgrid_coordinator_pb2.ClientInMessage()
    hello.startup.version = "bench"
    hello.startup.name = f"bench/{first}"
    sync = labgrid_coordinator_pb2.ClientInMessage()
    sync.sync.id = 1
    outgoing.put(hello)
    outgoing.put(sync)
    session = stub.ClientStream(messages(outgoing))  # it lasts as long as this name
    next(session)
    chance = random.Random(int(first))

    def pair() -> None:
        place = f"p{chance.randrange(int(first), int(last)):05}"
        stub.AcquirePlace(labgrid_coordinator_pb2.AcquirePlaceRequest(placename=place))
        stub.ReleasePlace(labgrid_coordinator_pb2.ReleasePlaceRequest(placename=place))

    for _ in range(WARM):
        pair()
    print("ready", flush=True)
    sys.stdin.readline()
    pairs: list[float] = []
    until = time.perf_counter() + float(seconds)
    while (started := time.perf_counter()) < until:
        pair()
        pairs.append((time.perf_counter() - started) * 1000)
    session.cancel()
    print(json.dumps({"operations": 2 * len(pairs), "pairs_ms": pairs}), flush=True)


def messages(outgoing: "queue.Queue[Any]") -> Iterator[Any]:
    while True:
        yield outgoing.get()


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.stdout.flush()
    import os

    os._exit(0)  # the stream's thread waits for ever
