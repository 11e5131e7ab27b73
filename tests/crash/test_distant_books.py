"""A book far away: whatever the network and the server do, nothing acknowledged is lost and nothing is done twice."""

from __future__ import annotations

from bespeak.ledger import open_ledger
from support import distant, trees, two_machines
from support.meddling import meddling
from support.remote import ManyUsers, Whoever
from support.server import serving


def test_a_network_that_loses_and_doubles(tmp_path):
    url = f"sqlite://{tmp_path}/book"
    with serving(url, authenticator=lambda _: Whoever()) as server, meddling(server.socket, 1) as network:
        clients = [
            distant.Client(lambda: ManyUsers(network.url), f"user{number}", number, steps=25, resources=4)
            for number in range(4)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join(300)
    with open_ledger(url) as book:
        assert distant.faults_of(book, clients) == []
    assert all(network.done.values()), "each fault came up"
    assert sum(len(client.account.made) for client in clients) > 20


def test_two_machines_with_such_a_network_between_them():
    wrong, counts = two_machines.work(operations=160, clients=8, seed=1, minutes=5)
    assert wrong == []
    assert counts["operations"] == 160
    assert counts["acknowledged reservations"] > 20


def test_a_server_that_is_killed(tmp_path):
    wrong, counts = distant.under_kills(str(tmp_path), kills=2, clients=3, steps=1_000_000, seed=1)
    assert wrong == []
    assert counts["acknowledged"] > 0


def test_run_ends_its_command_in_time_when_the_server_goes_away(tmp_path, cli):
    server = distant.Server(str(tmp_path))
    server.start()
    try:
        words = ["run", "--keepalive", "4s", "rack3", "--", "sh", "-c", "echo $$; exec sleep 600"]
        run = cli.start(*words, env={"BESPEAK_LEDGER": server.url})
        child = int(run.stdout.readline())
        server.kill()
        assert run.wait(60) == 11
        assert "no sign of life could be given in time" in run.stderr.read()
        trees.wait_for(lambda: not trees.lives(child))
    finally:
        server.kill()
    with open_ledger(server.book) as book:
        (held,) = book.reservations(include_ended=True)
        trees.wait_for(lambda: held.lapsed(book.now_us()))


def test_run_goes_on_while_the_server_starts_again(tmp_path, cli):
    server = distant.Server(str(tmp_path))
    server.start()
    try:
        run = cli.start(
            *["run", "--keepalive", "60s", "rack3", "--", "sh", "-c", "echo $$; read line"],
            env={"BESPEAK_LEDGER": server.url},
        )
        run.stdout.readline()
        server.kill()
        server.start()
        run.stdin.write("\n")
        run.stdin.flush()
        assert run.wait(60) == 0
    finally:
        server.kill()
    with open_ledger(server.book) as book:
        (held,) = book.reservations(include_ended=True)
        assert held.why_ended(book.now_us()) == "released"
