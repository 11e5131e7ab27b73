"""Compiles the supervisor of jobs while bespeak is built, where there is a C compiler; a wheel without it works too.

``pip install`` from the sources calls this. ``HATCH_BUILD_NO_HOOKS=true`` builds the wheel for every machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_SOURCE = "src/bespeak/runner/supervise.c"
_NAME = "bespeak/runner/supervise.bin"
_SECONDS = 60


class SupervisorBuildHook(BuildHookInterface[Any]):
    """Adds ``supervise.bin`` to the wheel, or puts it beside the sources of an editable installation."""

    _folder = ""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile and try it; leave everything as it is where that fails.

        Args:
            version: ``standard`` or ``editable``.
            build_data: what the builder is told.
        """
        self._folder = tempfile.mkdtemp(prefix="bespeak-build-")
        program = os.path.join(self._folder, "supervise.bin")
        beside = os.path.join(self.root, "src", *_NAME.split("/"))
        if not compile_supervisor(os.path.join(self.root, *_SOURCE.split("/")), program):
            self.app.display_info("no C compiler that works: jobs get the supervisor for POSIX shells")
        elif version == "editable":
            shutil.copy2(program, beside + ".new")
            os.replace(beside + ".new", beside)
        else:
            build_data["force_include"][program] = _NAME
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{_platform()}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was compiled: it is in the wheel now."""
        del version, build_data, artifact_path
        shutil.rmtree(self._folder, ignore_errors=True)


def compile_supervisor(source: str, program: str) -> bool:
    """Compile and try the supervisor; False where there is no compiler, or what it makes does not run here."""
    if sys.platform != "linux":
        return False
    named = os.environ.get("CC", "").split()
    compilers = [named] if named else [[name] for name in ("cc", "gcc", "clang")]
    # Without the dynamic linker it starts in half of the time; not every system has the library for it.
    for compiler in compilers:
        for how in (["-static"], []):
            if _succeeds([*compiler, "-O2", "-s", *how, "-o", program, source]) and _works(program):
                return True
    return False


def _works(program: str) -> bool:
    record = program + ".try"
    if not _succeeds([program, record, "", "true"]):
        return False
    with open(record, encoding="ascii") as file:
        return file.read().endswith("\nexit 0\n")


def _succeeds(words: list[str]) -> bool:
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _platform() -> str:
    import sysconfig

    return sysconfig.get_platform().replace("-", "_").replace(".", "_")
