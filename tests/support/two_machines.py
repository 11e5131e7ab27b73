"""Clients and a server with nothing in common but a network that loses, delays and doubles: what the book says after it.

Where this account may make network namespaces, the server has one and the clients another, with a cable between them;
else both are on this machine's loopback. The server is ``bespeak serve --behind-proxy``, the proxy is the network.

    python tests/support/two_machines.py --operations 100000 --clients 32 [--minutes 60]

It costs about as much processor time as is printed; on a machine with other work, ``--minutes`` ends it in time.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import resource
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bespeak.access.tokens import hashed, new_token
from bespeak.base.http_url import parse_http_url
from bespeak.client.requests import Requests
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder
from bespeak.ledger.remote import RemoteLedger
from support import distant, history
from support.meddling import meddling

_THREADS = 4
"""Clients in one process; so many that the processes do not starve each other."""


class Bearer:
    """The credentials of one token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def token(self) -> str:
        """Return it."""
        return self._token


@contextmanager
def cable():
    """Give what goes before a command of the server and of the clients, and their addresses."""
    name, number = f"bsp{os.getpid()}", os.getpid() % 200
    server, clients = f"10.213.{number}.1", f"10.213.{number}.2"
    lines = (
        f"netns add {name}s",
        f"netns add {name}c",
        f"link add {name}s netns {name}s type veth peer name {name}c netns {name}c",
        f"-n {name}s addr add {server}/30 dev {name}s",
        f"-n {name}c addr add {clients}/30 dev {name}c",
        *(f"-n {name}{end} link set {device} up" for end in "sc" for device in ("lo", f"{name}{end}")),
    )
    try:
        if all(_ip(line) for line in lines):
            yield [["ip", "netns", "exec", f"{name}{end}"] for end in "sc"], server, clients
        else:
            yield [[], []], "127.0.0.1", "127.0.0.1"
    finally:
        for end in "sc":
            _ip(f"netns del {name}{end}")


def _ip(words: str) -> bool:
    try:
        return subprocess.run(["ip", *words.split()], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def work(operations: int, clients: int, seed: int, minutes: float) -> tuple[list[str], dict[str, object]]:
    """Have clients do so many operations, or as many as the time allows; return what is wrong, and what was done."""
    with tempfile.TemporaryDirectory() as folder, cable() as (before, address, far):
        book_url = os.path.join(folder, "book.sqlite3")
        tokens = {f"user{number}": new_token() for number in range(clients)}
        with open_ledger(book_url) as book:
            for user, token in tokens.items():
                book.token_create(Holder("root"), user, hashed(token))
        command = [*before[0], sys.executable, "-m", "bespeak", "--ledger", book_url, "serve", "--json"]
        command += ["--host", address, "--port", "0", "--socket", os.path.join(folder, "s")]
        command += ["--behind-proxy", f"{far}/32", "--allow-host", "127.0.0.1"]
        began = time.monotonic()
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            url = json.loads(server.stdout.readline())["url"]
            task = {"url": url, "tokens": tokens, "steps": -(-operations // clients), "seed": seed, "folder": folder}
            task["minutes"] = minutes
            subprocess.run([*before[1], sys.executable, __file__, "--clients-of", json.dumps(task)], check=True)
            clients_seconds = _processor_seconds()
            seconds = time.monotonic() - began
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)
            server.stdout.close()
        server_seconds = _processor_seconds() - clients_seconds
        with open(os.path.join(folder, "told"), "rb") as file:
            works, done = pickle.load(file)
        with open_ledger(book_url) as book:
            wrong = distant.faults_of(book, works)
            try:
                history.check_book(book)
            except history.ViolationError as error:
                wrong.append(str(error))
        counts = {
            "namespaces": bool(before[0]),
            "operations": sum(one.account.asked for one in works),
            "acknowledged reservations": sum(len(one.account.made) for one in works),
            "unknown": sum(len(one.account.unknown) for one in works),
            "acknowledged extensions": sum(sum(one.account.extended.values()) for one in works),
            "acknowledged moves": sum(sum(one.account.moved.values()) for one in works),
            "releases": sum(len(one.account.released) for one in works),
            "seconds": round(seconds),
            "processor seconds": {"server": round(server_seconds), "clients and network": round(clients_seconds)},
            "faults": done,
        }
        return wrong, counts


def _processor_seconds() -> float:
    """Return what all processes took that were begun here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Told:
    """What is left of a client when its process has ended."""

    def __init__(self, client: distant.Client) -> None:
        self.name = client.name
        self.account = client.account
        self.failure = None if client.failure is None else repr(client.failure)


def be_the_clients(task: dict) -> None:
    """Run all clients, and the network before them; write down what they were told."""
    address = task["url"].removeprefix("http://")
    host, _, port = address.rpartition(":")
    users = list(task["tokens"].items())
    with meddling((host, int(port)), task["seed"]) as network:
        pipes = []
        for first in range(0, len(users), _THREADS):
            reading, writing = os.pipe()
            if os.fork() == 0:
                os.close(reading)
                status = 1
                try:
                    with os.fdopen(writing, "wb") as out:
                        pickle.dump(_some(network.url, users[first : first + _THREADS], first, task), out)
                    status = 0
                finally:
                    os._exit(status)
            os.close(writing)
            pipes.append(reading)
        told = []
        for reading in pipes:
            with os.fdopen(reading, "rb") as answers:
                told += pickle.load(answers)
        for _ in pipes:
            os.wait()
        with open(os.path.join(task["folder"], "told"), "wb") as file:
            pickle.dump((told, network.done), file)


def _some(url: str, users: list, first: int, task: dict) -> list[Told]:
    def opening(token):
        return lambda: RemoteLedger(Requests(parse_http_url(url), Bearer(token)))

    clients = [
        distant.Client(opening(token), user, first + index, steps=task["steps"], resources=len(task["tokens"]))
        for index, (user, token) in enumerate(users)
    ]
    for one in clients:
        one.start()
    ends = time.monotonic() + task["minutes"] * 60
    for one in clients:
        one.join(max(ends - time.monotonic(), 0))
    for one in clients:
        one.stop.set()
        one.join()
    return [Told(one) for one in clients]


def main() -> int:
    """Work for as long as it takes; print what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--operations", type=int, default=100_000)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=120.0, help="the clients end after so long")
    parser.add_argument("--clients-of", type=json.loads)
    given = parser.parse_args()
    if given.clients_of is not None:
        sys.modules["support.two_machines"] = sys.modules["__main__"]
        Told.__module__ = "support.two_machines"
        be_the_clients(given.clients_of)
        return 0
    wrong, counts = work(given.operations, given.clients, given.seed, given.minutes)
    print(json.dumps(counts))
    print(
        "\n".join(wrong[:50]) or "the book keeps its promises: invariants 1 to 5 hold, nothing was lost or done twice"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.modules["support.two_machines"] = sys.modules["__main__"]
    raise SystemExit(main())
