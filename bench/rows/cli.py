"""The command line as a user has it: an installed bespeak, each command a process of its own, from start to end.

Measured against ``python -c pass`` of the same environment, and against what peers do for the same wish.
"""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING

from harness import peers, stats
from harness.lines import Bar, Line
from harness.processes import Repeated

if TYPE_CHECKING:
    from harness.bench import Bench

HOOK, ORDINARY, PEER = 2.5, 5.0, 8.0
_LAB = "demo"
_NEEDED = ("analyser", "rack1")
_SETTINGS = 'labs = ["labs"]\n\n[reservations]\nbackend = "ledger"\n'
_LAB_FILE = '[labs.demo]\nresources = ["analyser", "rack1"]\n'
_COMMAND = """
from {module} import instruction


@instruction()
async def use():
    pass
"""
_JSON = '[reservations]\nbackend = "json"\n[reservations.json]\npath = "r.json"\n'


def measure(bench: Bench) -> Iterator[Line]:
    """Measure each command in turn with a bare interpreter and with the peers that can do it."""
    user = getpass.getuser()
    here = os.getcwd()
    with ExitStack() as stack:
        stack.callback(os.chdir, here)
        ours, wishes = _bespeak(bench)
        theirs = _otto(bench, user) | _labgrid(bench, stack, user) | _dibs(bench)
        bare = Repeated([peers.installed("bespeak").python, "-c", "pass"], peers.environ(bench.folder))
        things = {"bare": bare} | ours | theirs
        samples = stats.in_turn(things, bench.pick(5, 25))
    kept = {name: stats.summary([value * 1000 for value in each]) for name, each in samples.items()}
    cpu = {name: stats.summary([value * 1000 for value in each.cpu[1:]]).p50 for name, each in things.items()}
    for name, (limit, same) in wishes.items():
        own = kept[name]
        floor = Bar(limit, of_ratio=True) if limit else None
        what = f"`bespeak {name}`"
        note = f"processor time {cpu[name]:.0f} ms, {cpu[name] / cpu['bare']:.1f}x"
        detail = asdict(own) | {"cpu_ms": cpu[name], "bare": asdict(kept["bare"]) | {"cpu_ms": cpu["bare"]}}
        yield Line(what, own.p50, "ms", "`python -c pass`", kept["bare"].p50, "slower", floor, note, detail)
        for peer in same:
            bar = None if peer.startswith("dibs") else Bar(PEER, at_least=True, of_ratio=True)
            detail = asdict(kept[peer]) | {"cpu_ms": cpu[peer]}
            yield Line(what, own.p50, "ms", f"`{peer}`", kept[peer].p50, "faster", bar, detail=detail)


def _bespeak(bench: Bench) -> tuple[dict[str, Repeated], dict[str, tuple[float, tuple[str, ...]]]]:
    """Return the commands, and for each its bar and the peers that do the same thing."""
    root = bench.path("repo")
    os.makedirs(os.path.join(root, ".bespeak"))
    os.makedirs(os.path.join(root, "labs"))
    _write(os.path.join(root, ".bespeak", "settings.toml"), _SETTINGS)
    _write(os.path.join(root, "labs", "lab.toml"), _LAB_FILE)
    program = peers.installed("bespeak").program("bespeak")
    environ = peers.environ(root, BESPEAK_LEDGER=os.path.join(root, "book.db"), PWD=root)

    def timed(*words: str) -> Repeated:
        return Repeated([program, *words], environ, root)

    timed("reserve", *_NEEDED, "--for", "12h")()
    commands = {
        "reserve rack2 --for 1h": timed("reserve", "rack2", "--for", "1h"),
        "who rack2": timed("who", "rack2"),
        "list": timed("list"),
        "release rack2": timed("release", "rack2"),
        f"-l {_LAB} reservation check": timed("-l", _LAB, "reservation", "check"),
        f"gate -l {_LAB}": timed("gate", "-l", _LAB),
        f"gate -l {_LAB} -- true": timed("gate", "-l", _LAB, "--", "/bin/true"),
        "--help": timed("--help"),
    }
    wishes: dict[str, tuple[float, tuple[str, ...]]] = {
        "reserve rack2 --for 1h": (ORDINARY, ("labgrid-client acquire", "dibs claim")),
        "release rack2": (ORDINARY, ("labgrid-client release", "dibs release")),
        "who rack2": (ORDINARY, ("labgrid-client who", "dibs status")),
        "list": (ORDINARY, ("labgrid-client places",)),
        f"-l {_LAB} reservation check": (
            ORDINARY,
            ("otto 0.5.2 reservation check", "otto newest reservation check"),
        ),
        f"gate -l {_LAB}": (HOOK, ()),
        f"gate -l {_LAB} -- true": (HOOK, ("otto 0.5.2 run", "otto newest run")),
        "--help": (0.0, ("otto 0.5.2 --help", "otto newest --help")),
    }
    return commands, wishes


def _otto(bench: Bench, user: str) -> dict[str, Repeated]:
    things: dict[str, Repeated] = {}
    for release, later in (("otto 0.5.2", False), ("otto newest", True)):
        root = bench.path("otto")
        _otto_project(root, user, later=later)
        program = peers.installed(release).program("otto")
        environ = peers.environ(bench.path("home"), **{"OTTOPATH" if later else "OTTO_SUT_DIRS": root}, COLUMNS="100")
        os.makedirs(environ["HOME"])

        def timed(*words: str, program: str = program, environ: dict[str, str] = environ, root: str = root) -> Repeated:
            return Repeated([program, *words], environ, root)

        things[f"{release} reservation check"] = timed("-l", _LAB, "reservation", "check")
        things[f"{release} run"] = timed("-l", _LAB, "run", "use")
        things[f"{release} --help"] = timed("--help")
    return things


def _otto_project(root: str, user: str, *, later: bool) -> None:
    for folder in (".otto", "labs", "lib"):
        os.makedirs(os.path.join(root, folder))
    head = 'name = "bench"\nversion = "1.0.0"\nlibs = ["lib"]\ninit = ["lab_commands"]\n'
    host = {"ip": "127.0.0.1", "element": "dut", "creds": {"u": "p"}, "resources": _NEEDED, "labs": [_LAB]}
    labs: object = [host]
    if later:
        head += '[[lab.sources]]\nbackend = "json"\npaths = ["labs"]\n'
        element = {"name": "dut", "labs": [_LAB], "hosts": [{"ip": "127.0.0.1", "os_type": "unix"}]}
        labs = {"labs": {_LAB: {"resources": _NEEDED}}, "elements": [element], "links": []}
    else:
        head = head.replace('"lib"', '"${sut_dir}/lib"') + 'labs = ["${sut_dir}/labs"]\n'
    _write(os.path.join(root, ".otto", "settings.toml"), head + _JSON)
    _write(os.path.join(root, "labs", "lab.json" if later else "hosts.json"), json.dumps(labs))
    module = "otto.instructions" if later else "otto.cli.run"
    _write(os.path.join(root, "lib", "lab_commands.py"), _COMMAND.format(module=module))
    held = {"version": 1, "reservations": [{"user": user, "resources": _NEEDED}]}
    _write(os.path.join(root, "r.json"), json.dumps(held))


def _labgrid(bench: Bench, stack: ExitStack, user: str) -> dict[str, Repeated]:
    folder = bench.path("labgrid")
    address = stack.enter_context(peers.labgrid_coordinator(folder, 100))
    client = peers.installed("labgrid").program("labgrid-client")
    environ = peers.environ(folder, LG_USERNAME=user)

    def timed(*words: str) -> Repeated:
        return Repeated([client, "-x", address, *words], environ)

    return {
        "labgrid-client acquire": timed("-p", "p00001", "acquire"),
        "labgrid-client who": timed("who"),
        "labgrid-client places": timed("places"),
        "labgrid-client release": timed("-p", "p00001", "release"),
    }


def _dibs(bench: Bench) -> dict[str, Repeated]:
    environ = peers.dibs_environ(bench.path("dibs"), ("rack2",)) | {"DIBS_OWNER": "alice"}
    program = peers.installed("call-dibs").program("dibs")

    def timed(*words: str) -> Repeated:
        return Repeated([program, *words], environ)

    return {
        "dibs claim": timed("claim", "rack2"),
        "dibs status": timed("status", "rack2"),
        "dibs release": timed("release", "rack2"),
    }


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
