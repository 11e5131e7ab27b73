"""The morning view over real OpenSSH servers: three gateways, each with a book of its own, and one that is gone."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from support import openssh, peervenv
from support.job_sites import Site, sites

closing_site = contextmanager(sites)


@pytest.fixture
def gateways(tmp_path) -> Iterator[tuple[list[openssh.Server], list[Site]]]:
    """Two hosts with a server and a book each; the third server has no book."""
    with ExitStack() as stack:
        servers, books = [], []
        try:
            for number in range(3):
                folder = tmp_path / f"gw{number}"
                folder.mkdir()
                home = folder / "home"
                variables = f"SetEnv HOME={folder} ORCHESJOB_HOME={home}"
                servers.append(stack.enter_context(openssh.server(folder, variables)))
                books.append(stack.enter_context(closing_site(str(folder))))
        except peervenv.UnobtainableError as error:
            pytest.fail(str(error), pytrace=False)
        yield servers, books


def test_each_morning(gateways, ours, tmp_path) -> None:
    servers, books = gateways
    books[0].call("reserve", "--run-key", "good", "--", "/bin/true")
    books[1].call("reserve", "--run-key", "bad", "--", "/bin/sh", "-c", "exit 4")
    for book in books[:2]:
        book.run(prog="bespeak job", runner="embedded").await_event("job_ended")
    hosts = [*((f"gw{number}", server.port, server) for number, server in enumerate(servers)), ("gone", 1, servers[0])]
    lab = "[labs.edge]\n" + "".join(
        f'[[hosts]]\nid = "{name}"\nlabs = ["edge"]\nip = "127.0.0.1"\nlabels = ["gateway"]\nresources = ["{name}"]\n'
        f'[hosts.ssh]\nuser = "{server.user}"\nport = {port}\nkey = "{server.key}"\nagent = false\n'
        f'known_hosts = "{server.known_hosts}"\n'
        for name, port, server in hosts
    )
    (tmp_path / "lab.toml").write_text(lab)
    trusted = subprocess.run(
        [ours.program("bespeak"), "trust"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert trusted.returncode == 0, trusted.stderr
    words = [ours.program("bespeak"), "job", "fleet", "--lab", "edge", "--at-once", "3"]
    words += ["--program", f"{ours.program('bespeak')} job"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    found = {host["host"]: host for host in told["hosts"]}
    assert list(found) == ["gone", "gw0", "gw1", "gw2"]
    assert (found["gw0"]["ok"], found["gw0"]["sites"][0]["ran"]) == (True, 1)
    (wrong,) = found["gw1"]["sites"]
    assert (wrong["ok"], wrong["healthy"], wrong["failed"]) == (False, True, 1)
    assert (wrong["last_error"]["run_key"], wrong["last_error"]["error"]) == ("bad", "FAILED, exit code 4")
    assert found["gw2"]["sites"][0]["why"] == ["no dispatcher"]
    assert (found["gone"]["answered"], bool(found["gone"]["error"])) == (False, True)
    table = subprocess.run(
        [*words, "--failed", "--text"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert [line.split()[0] for line in table.stdout.splitlines()] == ["HOST", "gone", "gw1", "gw2"]
    well = subprocess.run([*words, "gw0"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert well.returncode == 0, well.stdout
