"""OpenSSH's server and client: reserve through one connection that is cut, collect the result through another."""

import json
import os
import shlex
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from support import openssh, peervenv
from support.job_sites import PATIENCE_SECONDS, until


@contextmanager
def connected(words: list[str]) -> Iterator["subprocess.Popen[str]"]:
    """A client that stays connected until it is killed."""
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        try:
            yield client
        finally:
            client.kill()


@pytest.fixture
def edge(tmp_path) -> Iterator[openssh.Server]:
    """The host where the dispatcher runs."""
    folder = tmp_path / "sshd"
    folder.mkdir()
    try:
        with openssh.server(folder) as found:
            yield found
    except peervenv.UnobtainableError as error:
        pytest.fail(str(error), pytrace=False)


def first_object(lines: Iterable[str]) -> dict[str, Any]:
    """Return the first JSON object of a stream that stays open, on however many lines it is."""
    text = ""
    for line in lines:
        text += line
        with suppress(ValueError):
            return dict(json.loads(text))
    raise AssertionError(f"the connection ended with {text!r}")


def test_reserved_then_cut_off_and_the_result_collected_later(site, ours, edge: openssh.Server) -> None:
    out = os.path.join(site.folder, "out")
    gone = os.path.join(site.folder, "gone")
    dispatcher = site.run(runner="embedded")
    variables = [f"{name}={site.environ()[name]}" for name in ("HOME", "ORCHESJOB_HOME")]

    def over_ssh(name: str, *words: str, then: str = "") -> list[str]:
        start = ["env", *variables, ours.program("orchesjob-reserver"), name, "--db", site.url]
        return edge.ssh(shlex.join([*start, *words]) + then)

    job = ["/bin/sh", "-c", f"echo ran >>{out}; echo said; exit 4"]
    reserving = over_ssh("reserve", "--run-key", "nightly", "--not-before", "+2s", "--", *job, then=f"; cat; : >{gone}")
    with connected(reserving) as client:
        assert client.stdout is not None
        assert first_object(client.stdout)["created"] is True
        assert not os.path.exists(gone)
        client.kill()
        assert client.wait(PATIENCE_SECONDS) < 0
    until(lambda: os.path.exists(gone), "the end of the cut session")

    dispatcher.await_event("dispatch_succeeded")
    ended = site.call("wait", "--run-key", "nightly", runner="embedded")
    assert (ended.code, ended.json["job"]["exit_code"]) == (1, 4)
    later = over_ssh("result", "--orchesjob-bin", "embedded", "--run-key", "nightly")
    collected = subprocess.run(later, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    assert collected.returncode == 0, collected.stderr
    result = json.loads(collected.stdout)
    assert (result["status"], result["exit_code"]) == ("FAILED", 4)
    with open(out) as file:
        assert file.read() == "ran\n"
    assert len(dispatcher.events("dispatch_succeeded")) == 1
