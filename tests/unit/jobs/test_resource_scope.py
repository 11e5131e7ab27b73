"""Memory and processor of a job are limited through systemd, or the job does not run."""

from __future__ import annotations

import os

import pytest

from bespeak.base.errors import UsageError
from bespeak.jobs import resource_scope
from support.job_sites import Site, until

SYSTEMD_RUN = r"""#!/bin/sh
# Does what systemd-run --scope does, but for the limits: it notes what it was asked, and becomes the command.
case "$*" in *cgroup.controllers*) exit 0 ;; esac
echo "$@" >>"$STUB_LOG.scopes"
while [ "$1" != -- ]; do shift; done
shift
exec "$@"
"""
FAILING = """#!/bin/sh
echo "Failed to connect to bus: Host is down" >&2
exit 1
"""
LIMITS = ("--memory-max", "512M", "--cpu", "50%")


def with_systemd(site: Site, text: str) -> dict[str, str]:
    """Return an environment whose systemd-run is a script."""
    folder = os.path.join(site.folder, "bin")
    os.makedirs(folder, exist_ok=True)
    path = site.stub("bin/systemd-run", text)
    return {"PATH": f"{os.path.dirname(path)}:{os.environ['PATH']}"}


def scopes(site: Site) -> list[str]:
    with open(site.calls_file + ".scopes", encoding="utf-8") as file:
        return file.read().splitlines()


def reserve(site: Site, *words: str, **environ: str):
    return site.call("reserve", "--run-key", "k", *words, runner="embedded", **environ)


def test_a_command_runs_in_a_scope_with_its_exit_code(any_site: Site) -> None:
    environ = with_systemd(any_site, SYSTEMD_RUN)
    made = reserve(any_site, *LIMITS, "--nice", "7", "--", "/bin/sh", "-c", "exit 4", **environ)
    assert made.code == 0, made.err
    kept = made.json["reservation"]
    assert (kept["memory_max_bytes"], kept["cpu_percent"]) == (512 << 20, 50)
    dispatcher = any_site.run(runner="embedded", env=environ)
    (end,) = dispatcher.await_event("job_ended")
    assert (end["outcome"], end["exit_code"]) == ("FAILED", 4)
    (asked,) = scopes(any_site)
    account = "--system" if os.getuid() == 0 else "--user"
    limits = f"-p MemoryMax={512 << 20} -p MemorySwapMax=0 -p CPUQuota=50%"
    assert asked == f"--quiet --scope --collect {account} {limits} -- /bin/sh -c exit 4"


def test_each_attempt_has_a_scope(site: Site) -> None:
    environ = with_systemd(site, SYSTEMD_RUN)
    reserve(site, "--cpu", "200", "--retry", "1", "--retry-delay", "0", "--", "/bin/false", **environ)
    site.run(runner="embedded", env=environ).await_event("job_ended")
    assert [line.split(" -- ")[0].split()[-1] for line in scopes(site)] == ["CPUQuota=200%"] * 2


@pytest.mark.parametrize(
    ("program", "why"),
    [(FAILING, "systemd-run: Failed to connect to bus: Host is down"), ("#!/bin/sh\nexit 3\n", "ended with 3")],
)
def test_where_systemd_cannot_limit_nothing_is_reserved(site: Site, program: str, why: str) -> None:
    refused = reserve(site, *LIMITS, "--", "/bin/true", **with_systemd(site, program))
    assert refused.code == 2
    assert refused.error.startswith("--memory-max and --cpu: a job cannot be limited on this host: ")
    assert why in refused.error
    assert site.call("list").json["reservations"] == []


def test_a_host_without_systemd_is_told_what_is_missing(site: Site) -> None:
    folder = os.path.join(site.folder, "without")
    os.makedirs(folder)
    os.symlink("/bin/sh", os.path.join(folder, "sh"))
    refused = reserve(site, "--cpu", "50", "--", "/bin/true", PATH=folder)
    assert (refused.code, refused.error) == (
        2,
        "--cpu: a job cannot be limited on this host: systemd-run is not on PATH; it comes with systemd",
    )


def test_a_job_that_cannot_be_limited_is_not_started(any_site: Site) -> None:
    out = os.path.join(any_site.folder, "out")
    reserve(
        any_site, "--memory-max", "1G", "--", "/bin/sh", "-c", f"echo ran >{out}", **with_systemd(any_site, SYSTEMD_RUN)
    )
    any_site.once(runner="embedded", env=with_systemd(any_site, FAILING))
    found = any_site.status("k")
    assert found["reservation_status"] == "DISPATCH_FAILED"
    assert found["last_error"] == (
        "--memory-max: a job cannot be limited on this host: systemd-run: Failed to connect to bus: Host is down"
    )
    assert not os.path.exists(out)
    assert any_site.call("requeue", "--run-key", "k").code == 0
    any_site.once(runner="embedded", env=with_systemd(any_site, SYSTEMD_RUN))
    until(lambda: os.path.exists(out), "the job")


def test_what_was_started_before_a_kill_is_adopted_whatever_systemd_says(site: Site) -> None:
    out = os.path.join(site.folder, "out")
    environ = with_systemd(site, SYSTEMD_RUN)
    reserve(site, "--cpu", "50", "--", "/bin/sh", "-c", f"echo ran >>{out}", **environ)
    killed = site.run(runner="embedded", wait=False, env={**environ, "BESPEAK_CRASH_AT": "jobs.answered"})
    killed.process.wait(60)
    site.once(runner="embedded", env=with_systemd(site, FAILING))
    assert site.status("k")["reservation_status"] == "DISPATCHED"
    assert site.call("wait", "--run-key", "k", runner="embedded").code == 0
    with open(out) as file:
        assert file.read() == "ran\n"


def test_an_external_runner_is_given_the_scope_as_words(site: Site) -> None:
    site.call("reserve", "--run-key", "k", "--cpu", "50", "--", "/bin/true", **with_systemd(site, FAILING))
    site.once()
    (call,) = [line for line in site.calls() if line.startswith("start ")]
    assert call.endswith("scope -p CPUQuota=50% -- /bin/true")


@pytest.mark.parametrize(("text", "size"), [("1M", 1 << 20), ("1048576", 1 << 20), ("2G", 2 << 30), ("1T", 1 << 40)])
def test_sizes(text: str, size: int) -> None:
    assert resource_scope.read_memory(text, "--memory-max") == size


@pytest.mark.parametrize("text", ["", "1", "512", "1023K", "-1G", "0G", "1.5G", "1GB", "50%", "2g", "9" * 15 + "T"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(UsageError, match="--memory-max"):
        resource_scope.read_memory(text, "--memory-max")


@pytest.mark.parametrize("text", ["", "0", "0%", "-5", "1.5", "100001", "50%%"])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(UsageError, match="--cpu"):
        resource_scope.read_percent(text, "--cpu")
