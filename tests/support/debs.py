"""Programs and libraries of Debian's packages, unpacked under ``.peers/``: no root, and nothing of the machine changes."""

import glob
import hashlib
import os
import subprocess
from collections.abc import Sequence

from support.peervenv import FOLDER, READY, UnobtainableError, _alone


class Unpacked:
    """A folder with the files of packages.

    Args:
        root: where ``/`` of the packages is.
    """

    def __init__(self, root: str) -> None:
        self.root = root

    @property
    def libraries(self) -> str:
        """The search path for shared libraries."""
        return ":".join(
            sorted(glob.glob(f"{self.root}/usr/lib/*-linux-gnu") + glob.glob(f"{self.root}/lib/*-linux-gnu"))
        )

    @property
    def building(self) -> dict[str, str]:
        """Variables with which something can be built against the packages."""
        return {
            "PKG_CONFIG_PATH": ":".join(f"{folder}/pkgconfig" for folder in self.libraries.split(":")),
            "PKG_CONFIG_SYSROOT_DIR": self.root,
        }


def unpacked(names: Sequence[str], *, with_missing: bool = False) -> Unpacked:
    """Return the packages, fetched with apt if they are not there yet; safe among processes.

    Args:
        names: of the packages.
        with_missing: also what they need and this machine does not have.

    Raises:
        UnobtainableError: apt is not here, or does not have one of them.
    """
    folder = os.path.join(FOLDER, "debs-" + hashlib.sha256(" ".join(names).encode()).hexdigest()[:12])
    with _alone(folder):
        if not os.path.exists(os.path.join(folder, READY)):
            os.makedirs(folder, exist_ok=True)
            try:
                wanted = _missing(names) if with_missing else names
                _apt(["download", "-q", *wanted], folder)
                for deb in glob.glob(f"{folder}/*.deb"):
                    subprocess.run(["dpkg", "-x", deb, f"{folder}/root"], check=True, capture_output=True)
            except FileNotFoundError as error:
                raise UnobtainableError(f"Debian's packages {', '.join(names)} need apt: {error}") from error
            except subprocess.CalledProcessError as error:
                said = (error.stderr or "").strip().splitlines()[-1:]
                raise UnobtainableError(f"Debian's packages {', '.join(names)}: {' '.join(said)}") from error
            with open(os.path.join(folder, READY), "w", encoding="utf-8"):
                pass
    return Unpacked(os.path.join(folder, "root"))


def _missing(names: Sequence[str]) -> list[str]:
    """Return what apt would install for ``names`` on this machine."""
    planned = _apt(["install", "--simulate", "--no-install-recommends", *names], FOLDER)
    return [line.split()[1] for line in planned.splitlines() if line.startswith("Inst ")]


def _apt(words: list[str], folder: str) -> str:
    """Run apt-get, a second time with new lists where it knows no such package; return what it prints."""
    command = ["apt-get", *words]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    if done.returncode:
        subprocess.run(["apt-get", "update", "-qq"], check=False, capture_output=True)
        done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout
