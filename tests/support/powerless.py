"""Programs that may not write where permissions forbid it, whoever runs the tests: root may write anywhere.

Run as a program, it gives up root's rights over files and becomes the program that its arguments name.
"""

import ctypes
import os
import stat
import subprocess
import sys

_DROP_FROM_BOUNDING_SET = 24
_WRITE_ANYWHERE, _READ_ANYWHERE = 1, 2


def powerless(command, **options):
    """Run a program that permissions bind."""
    return subprocess.run(_bound(command), capture_output=True, text=True, check=False, **options)


def popen_powerless(command, **options):
    """Start a program that permissions bind."""
    return subprocess.Popen(_bound(command), stdout=subprocess.PIPE, text=True, **options)


def _bound(command):
    return [sys.executable, os.path.abspath(__file__), *command]


def set_writable(folder, *, writable):
    """Let its owner, or nobody, write to a folder and all that is in it."""
    for top, _, names in os.walk(folder):
        for path in (top, *(os.path.join(top, name) for name in names)):
            mode = stat.S_IMODE(os.lstat(path).st_mode)
            os.chmod(path, mode | 0o200 if writable else mode & ~0o222)


if __name__ == "__main__":
    if os.geteuid() == 0:
        for capability in (_WRITE_ANYWHERE, _READ_ANYWHERE):
            ctypes.CDLL(None).prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0)
    os.execv(sys.argv[1], sys.argv[1:])
