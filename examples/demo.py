"""The main job of bespeak, played for real in a temporary book. Run it with ``make demo``.

Every command is printed as one would type it, and then run. The demo stops with an error as soon as a command answers
otherwise than it should, so it doubles as a test. One person plays everybody here, hence ``--as-user`` on every line;
on a machine of one's own one is oneself.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from demo_coord import play as play_coord
from demo_power import play as play_power

HERE = Path(__file__).resolve().parent
REFUSED, BUSY = 8, 7
COLOUR = sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def styled(text: str, code: str) -> str:
    """Return ``text`` in a style, on a terminal that has styles."""
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def say(text: str) -> None:
    """Print a heading of the story."""
    print(f"\n{styled(text, '1')}", flush=True)


class Stage:
    """A temporary folder with the sample lab, and a book of its own."""

    def __init__(self, folder: Path) -> None:
        self.lab = folder / "lab"
        shutil.copytree(HERE / "lab", self.lab)
        programs = str(Path(sys.executable).parent)
        ours = ("BESPEAK_", "ORCHESJOB_", "XDG_")
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(ours)},
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "BESPEAK_LEDGER": str(folder / "book.sqlite3"),
            "ORCHESJOB_HOME": str(folder / "jobs"),
        }

    def start(self, command: str) -> subprocess.Popen[str]:
        """Print a command as one would type it, and start it."""
        print(f"{styled('$', '2')} {styled(command, '36')}", flush=True)
        return subprocess.Popen(
            shlex.split(command),
            cwd=self.lab,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def show_until(self, process: subprocess.Popen[str], words: str) -> None:
        """Print what a running command says, up to the line that has ``words``."""
        for line in process.stdout or ():
            print(f"  {line.rstrip()}", flush=True)
            if words in line:
                return
        sys.exit(f"demo: the command ended without saying {words!r}")

    def finish(
        self, process: subprocess.Popen[str], *, code: int = 0, shows: tuple[str, ...] = (), only: str = ""
    ) -> str:
        """Wait for a command, print what it said (only lines with a word of ``only``), and insist on its answer."""
        output, _ = process.communicate(timeout=60)
        wanted = only.split()
        lines = [line for line in output.splitlines() if not wanted or any(word in line for word in wanted)]
        print("".join(f"  {line}\n" for line in lines), end="", flush=True)
        if process.returncode != code:
            sys.exit(f"demo: exit code {process.returncode} instead of {code}")
        for words in shows:
            if words not in output:
                sys.exit(f"demo: the answer does not say {words!r}")
        return output

    def type(self, command: str, *, code: int = 0, shows: tuple[str, ...] = (), only: str = "") -> str:
        """Run a command to its end."""
        return self.finish(self.start(command), code=code, shows=shows, only=only)


def book_and_gate(stage: Stage) -> None:
    """Play the first chapter: a reservation that tools obey."""
    say("alice reserves the rack and the analyser for two hours.")
    stage.type(
        "bespeak --as-user alice reserve rack1 analyser --for 2h --purpose 'thermal run'", shows=("rack1", "analyser")
    )

    say("bob wants the rack too. He is told who has it, until when, what for, and when it is free.")
    stage.type("bespeak --as-user bob reserve rack1 --for 1h", code=BUSY, shows=("alice", "thermal run"))

    say("A tool behind the gate obeys the book: bob is refused, alice's test runs.")
    test = "python3 -m unittest -q test_loopback"
    stage.type(f"bespeak --as-user bob gate -l bench -- {test}", code=REFUSED, shows=("held by alice",))
    stage.type(f"bespeak --as-user alice gate -l bench -- {test}", shows=("OK",))

    say("bob waits in line. The moment alice gives the rack back, it is his.")
    waiting = stage.start("bespeak --as-user bob reserve rack1 --for 1h --wait 1m")
    stage.show_until(waiting, "promised")
    stage.type("bespeak --as-user alice release rack1 analyser")
    print(styled("... and in bob's terminal:", "2"))
    stage.finish(waiting)
    stage.type("bespeak who rack1", shows=("bob",))

    say("Tomorrow morning is booked ahead; and a command can hold a thing exactly as long as it runs.")
    stage.type("bespeak --as-user carol reserve rack1 analyser --at 'tomorrow 9:00' --for 90m", shows=("carol",))
    echo = "sh -c 'echo holding $BESPEAK_RESOURCES as number $BESPEAK_NUMBER'"
    stage.type(f"bespeak --as-user alice run analyser -- {echo}", shows=("holding analyser as number",))

    say("What is free, who has what, and how it came to be so.")
    stage.type("bespeak free")
    stage.type("bespeak list", shows=("bob", "carol"))
    stage.type("bespeak log", shows=("alice", "bob", "carol"))


def job_for_later(stage: Stage) -> None:
    """Play the second chapter: a job that starts at its time, with nobody connected."""
    fields = '"run_key" "reservation_status" "dispatcher" "exit_code" "started_at_iso" "stdout"'
    say("On the edge host, a dispatcher is kept running by the system.")
    dispatcher = stage.start("bespeak job run")
    try:
        stage.show_until(dispatcher, "reserver_started")
        say("A job is reserved for three seconds ahead, and whoever reserved it goes away.")
        stage.type(
            "sh -c \"bespeak job reserve --run-key nightly --not-before +3s -- sh -c 'echo all 12 channels pass'\"",
            shows=("RESERVED",),
            only=fields,
        )
        print(styled("  (the connection is closed)", "2"))

        say("Its time comes. Later somebody connects again, and collects the result.")
        stage.type("bespeak job wait --run-key nightly --timeout 30s", shows=("SUCCEEDED",), only=fields)
        stage.type("bespeak job result --run-key nightly --logs", shows=("all 12 channels pass",), only=fields)
    finally:
        dispatcher.terminate()
        dispatcher.communicate(timeout=30)


def power_of_hosts(stage: Stage) -> None:
    """Play the third chapter: hosts are switched by who holds them."""
    play_power(stage, say)


def agents_share_a_repository(stage: Stage) -> None:
    """Play the fourth chapter: two agents in two work trees want the same function."""
    play_coord(stage, say)


CHAPTERS = (book_and_gate, job_for_later, power_of_hosts, agents_share_a_repository)


def main() -> None:
    """Play every chapter."""
    with tempfile.TemporaryDirectory(prefix="bespeak-demo-") as folder:
        for chapter in CHAPTERS:
            chapter(Stage(Path(tempfile.mkdtemp(dir=folder))))
    say("That is the main job. `bespeak --help` lists everything; README.md goes on from here.")


if __name__ == "__main__":
    main()
