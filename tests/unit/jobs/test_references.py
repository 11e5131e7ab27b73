"""Values of variables that are looked up where and when the command starts, and are kept nowhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.job_sites import Site, until

PRINT = 'printf "%s|%s|%s" "$TOKEN" "$KEY" "$PLAIN" >"$0"'


def start(site: Site, out: str, *env: str, runner: str = "embedded", **more: str) -> None:
    words = [word for setting in env for word in ("--env", setting)]
    answer = site.call("reserve", "--run-key", "k", *words, "--", "/bin/sh", "-c", PRINT, out)
    assert answer.code == 0, answer.err
    site.once(runner=runner, env=more)


@pytest.mark.parametrize("kind", ["embedded", "foreign"])
def test_references_are_looked_up_at_the_start(site: Site, tmp_path, kind: str) -> None:
    runner = site.stub("starts", STARTING) if kind == "foreign" else "embedded"
    out, secret = str(tmp_path / "out"), tmp_path / "key file"
    secret.write_text('line one\n$(id) "two"\n\n')
    start(
        site,
        out,
        "TOKEN=env:EDGE_TOKEN",
        f"KEY=file:{secret}",
        "PLAIN=file:x.db",
        runner=runner,
        EDGE_TOKEN="s3cr3t `x`",
    )
    value = 's3cr3t `x`|line one\n$(id) "two"|file:x.db'
    until(lambda: os.path.exists(out) and (tmp_path / "out").read_text() == value)
    found = site.status("k")
    assert found["env_from"] == {"TOKEN": "env:EDGE_TOKEN", "KEY": f"file:{secret}"}
    assert found["env"] == {"PLAIN": "file:x.db"}
    kept = [path for path in Path(site.folder).rglob("*") if path.is_file()]
    holding = [str(path) for path in kept if b"s3cr3t" in path.read_bytes()]
    assert holding == [out], "no book, log, record or note has the value"


STARTING = r"""#!/bin/sh
case "$1" in
    start) key=$3; while [ "$1" != -- ]; do shift; done; shift; printf '%s\n' "$*" >"$STUB_LOG.words"
        "$@" >/dev/null 2>&1; printf '{"job_id": "job-%s", "existing": false}\n' "$key" ;;
    status) printf '{"job_id": "%s", "status": "SUCCEEDED", "exit_code": 0}\n' "$3" ;;
esac
"""


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("TOKEN=env:NOT_THERE", "bespeak: --env TOKEN: env:NOT_THERE is not set or empty"),
        ("TOKEN=file:/not/there", "bespeak: --env TOKEN: file:/not/there cannot be read"),
        ("TOKEN=file:/dev/null", "bespeak: --env TOKEN: file:/dev/null is empty"),
    ],
)
def test_a_reference_to_nothing_is_the_failure_of_the_job(site: Site, tmp_path, setting: str, told: str) -> None:
    start(site, str(tmp_path / "out"), setting)
    answer = site.call("wait", "--run-key", "k", runner="embedded")
    assert (answer.code, answer.json["job"]["exit_code"]) == (1, 78)
    assert told in site.call("result", "--run-key", "k", "--logs", runner="embedded").out
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("value", ["file:x.db", "file:///srv/x", "env:", "env:not a name", "environment", "file:"])
def test_what_is_no_reference_is_a_value(site: Site, value: str) -> None:
    found = site.reserve("k", "--env", f"A={value}")
    assert (found["env"], found.get("env_from")) == ({"A": value}, None)
