"""The systemd units of a server: written, left alone, removed; and sockets that were opened beforehand."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import httpx
import pytest

LAUNCH = """
import os, sys
descriptors, words = sys.argv[1].split(","), sys.argv[2:]
for number, descriptor in enumerate(descriptors, 3):
    os.dup2(int(descriptor), number)
    os.set_inheritable(number, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(descriptors)))
os.execv(sys.executable, [sys.executable, "-m", "bespeak", *words])
"""


def test_units_are_written_once_left_alone_and_removed(cli, tmp_path):
    folder = str(tmp_path / "units")
    first = cli("serve", "install", "--output", folder, "--json")
    assert (first.returncode, json.loads(first.stdout)["state"]) == (0, "written")
    assert sorted(os.listdir(folder)) == ["bespeak.service", "bespeak.socket"]
    assert json.loads(cli("serve", "install", "--output", folder, "--json").stdout)["state"] == "unchanged"
    other = cli("serve", "install", "--output", folder, "--allow-host", "book.example.com")
    assert (other.returncode, "--force replaces it" in other.stderr) == (2, True)
    assert cli("serve", "install", "--output", folder, "--allow-host", "book.example.com", "--force").returncode == 0
    assert "--allow-host book.example.com" in (tmp_path / "units" / "bespeak.service").read_text()
    removed = json.loads(cli("serve", "install", "--output", folder, "--remove", "--json").stdout)
    assert (len(removed["files"]), os.listdir(folder)) == (2, [])
    (tmp_path / "units" / "bespeak.service").write_text("[Service]\n")
    refused = cli("serve", "install", "--output", folder, "--remove")
    assert (refused.returncode, os.listdir(folder)) == (2, ["bespeak.service"])


def test_what_is_printed_is_hardened_and_has_no_secret(cli):
    printed = cli("--ledger", "postgresql://db/book", "serve", "install", "--print", "--port", "8444").stdout
    for line in (
        "DynamicUser=yes",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "CapabilityBoundingSet=",
        "Type=notify",
    ):
        assert line in printed.splitlines()
    assert "ListenStream=127.0.0.1:8444" in printed
    assert "Environment=BESPEAK_LEDGER=postgresql://db/book" in printed
    refused = cli("--ledger", "postgresql://me:secret@db/book", "serve", "install", "--print")
    assert (refused.returncode, "secret" in refused.stderr + refused.stdout) == (2, False)


@pytest.mark.parametrize("url", ["https://book.example.com", "http://127.0.0.1:8420", "unix:///run/bespeak/book.sock"])
def test_what_a_server_has_already_is_not_served_again(cli, url):
    refused = cli("--ledger", url, "serve", "install", "--print")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert f"book {url}: it is on a server already" in refused.stderr


@pytest.mark.parametrize("words", [["--host", "0.0.0.0"], ["--print", "--remove"]])
def test_what_could_not_be_meant_is_told(cli, tmp_path, words):
    refused = cli("serve", "install", "--output", str(tmp_path), *words)
    assert (refused.returncode, refused.stderr.count("\n"), os.listdir(tmp_path)) == (2, 1, [])


def test_options_of_install_go_with_it(cli):
    refused = cli("serve", "--force")
    assert (refused.returncode, "goes with 'serve install'" in refused.stderr) == (2, True)


def start(sockets, *words, env):
    descriptors = [one.fileno() for one in sockets]
    command = [sys.executable, "-c", LAUNCH, ",".join(map(str, descriptors)), "--json", "serve", *words]
    return subprocess.Popen(command, pass_fds=descriptors, stdout=subprocess.PIPE, env=os.environ | env, text=True)


def test_sockets_that_systemd_opened_are_served_and_it_is_told_when(tmp_path):
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX) as unix,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
    ):
        unix.bind(str(tmp_path / "s"))
        unix.listen()
        manager.bind(str(tmp_path / "n"))
        manager.settimeout(60)
        process = start([tcp, unix], env={"NOTIFY_SOCKET": str(tmp_path / "n")})
        said = json.loads(process.stdout.readline())
        assert said["url"] == f"http://127.0.0.1:{tcp.getsockname()[1]}"
        assert manager.recv(100) == b"READY=1"
        assert httpx.get(f"{said['url']}/healthz", timeout=60).text == "ok\n"
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(tmp_path / "s")), timeout=60) as client:
            assert client.get("http://localhost/api/v1/me").json()["method"] == "peer"
        process.terminate()
        assert process.wait(60) == 143
        process.stdout.close()
    assert (tmp_path / "s").exists()


def test_a_port_for_others_that_was_opened_beforehand_needs_tls_too():
    with socket.create_server(("0.0.0.0", 0)) as tcp:
        process = start([tcp], env={})
        assert (process.wait(60), process.stdout.read()) == (2, "")
        process.stdout.close()
