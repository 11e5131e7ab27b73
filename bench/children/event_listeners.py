"""Many listeners to the events of a server; how long after a reservation was asked for the last of them has it.

python event_listeners.py SOCKET LISTENERS ROUNDS
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

HOUR_US = 3_600_000_000
_EVENTS = b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
_PATIENCE_SECONDS = 60.0


async def main(place: str, listeners: int, rounds: int) -> None:
    """Open the streams, and reserve as often as was asked."""
    streams = [await _listen(place) for _ in range(listeners)]
    reading, writing = await asyncio.open_unix_connection(place)
    took = []
    for number in range(rounds):
        name = f"listened{number}"
        body = json.dumps({"resources": [name], "duration_us": HOUR_US}).encode()
        head = f"POST /api/v1/reservations HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        began = time.perf_counter()
        writing.write(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)
        waits = [asyncio.ensure_future(stream.readuntil(name.encode())) for stream in streams]
        await asyncio.wait_for(asyncio.gather(*waits), _PATIENCE_SECONDS)
        took.append((time.perf_counter() - began) * 1000)
        answer = await reading.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reading.readexactly(length)
        await asyncio.sleep(0.2)
    print(json.dumps({"last_ms": took}))


async def _listen(place: str) -> asyncio.StreamReader:
    reading, writing = await asyncio.open_unix_connection(place)
    writing.write(_EVENTS)
    await reading.readuntil(b"retry: 1000")
    _kept.append(writing)
    return reading


_kept: list[asyncio.StreamWriter] = []

if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
