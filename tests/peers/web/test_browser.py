"""The pages in a real browser: Debian's Chromium, driven by playwright; accessibility judged by axe."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder
from bespeak.server.settings import ServerSettings
from support import debs
from support.peervenv import FOLDER, ROOT, UnobtainableError
from support.server import serving

AXE = "axe-core@4.14.1"
SCENES = ("drag", "move", "beyond", "run", "line", "phone", "dark", "keys", "axe", "plain", "offline")
PICTURES = os.path.join(ROOT, ".cache", "pages")


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The browser: the machine's, else Debian's package, unpacked beside us."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is not None:
        return found
    try:
        packages = debs.unpacked(["chromium"], with_missing=True)
    except UnobtainableError as error:
        pytest.fail(str(error), pytrace=False)
    folder, libraries = f"{packages.root}/usr/lib/chromium", packages.libraries
    pulse = ":".join(f"{each}/pulseaudio" for each in libraries.split(":"))
    program = tmp_path_factory.mktemp("browser") / "chromium"
    program.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH="{libraries}:{pulse}:{folder}" exec "{folder}/chromium" "$@"\n')
    program.chmod(0o755)
    return str(program)


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe, from npm."""
    folder = os.path.join(FOLDER, "axe-" + AXE.rpartition("@")[2])
    script = os.path.join(folder, "package", "axe.min.js")
    if not os.path.exists(script):
        os.makedirs(folder, exist_ok=True)
        try:
            packed = subprocess.run(
                ["npm", "pack", AXE, "--silent"], cwd=folder, check=True, capture_output=True, text=True
            ).stdout.split()[-1]
            subprocess.run(["tar", "-xzf", packed], cwd=folder, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.fail(f"{AXE} could not be had from npm: {getattr(error, 'stderr', '') or error}", pytrace=False)
    return script


@pytest.mark.parametrize("scene", SCENES)
def test_in_a_browser(scene, peer, chromium, axe, tmp_path):
    with_playwright = peer("playwright", ["playwright==1.65.2"])
    os.makedirs(PICTURES, exist_ok=True)
    url = str(tmp_path / "book.db")
    with open_ledger(url) as book:
        for index in range(1, 13):
            book.resource_set(f"rack{index}", Holder("boss"), description="boot tests" if index == 1 else None)
        book.inventory_change(["rack12"], Holder("boss"), {"approval": ["alice"]})
    with serving(url, ServerSettings(public=("now",))) as server:
        bespeak = os.path.join(os.path.dirname(sys.executable), "bespeak")
        here = os.path.join(os.path.dirname(__file__), "browse.py")
        done = subprocess.run(
            [with_playwright.python, here, scene, chromium, server.url, bespeak, PICTURES, axe],
            check=False,
            capture_output=True,
            text=True,
            timeout=280,
        )
    assert done.returncode == 0, done.stderr[-6000:]
