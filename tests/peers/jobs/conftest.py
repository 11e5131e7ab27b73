"""The counterparts of jobs: the published runner and reserver, the Airflow provider, supervisor, an SSH server."""

from __future__ import annotations

import glob
import os
import subprocess
from collections.abc import Iterator

import pytest

from support import peervenv
from support.job_sites import Site, sites

PUBLISHED = ["orchesjob==1.1.0", "orchesjob-reserver==0.1.2"]
PROVIDER = "airflow-providers-orchesjob==0.1.10"


@pytest.fixture(scope="session")
def published() -> peervenv.Environment:
    """The published orchesjob and orchesjob-reserver."""
    try:
        return peervenv.environment("orchesjob-reserver", PUBLISHED, python=peervenv.find_python((3, 12)))
    except peervenv.UnobtainableError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def provider_wheel(published: peervenv.Environment) -> str:
    """The published Airflow provider, without Airflow itself."""
    folder = os.path.join(peervenv.FOLDER, "wheels")
    found = glob.glob(os.path.join(folder, "airflow_providers_orchesjob-0.1.10-*.whl"))
    if not found:
        words = [published.python, "-m", "pip", "-q", "download", "--no-deps", "-d", folder, PROVIDER]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.fail(f"{PROVIDER} could not be got: {done.stderr.strip().splitlines()[-1]}", pytrace=False)
        found = glob.glob(os.path.join(folder, "airflow_providers_orchesjob-0.1.10-*.whl"))
    return found[0]


@pytest.fixture(scope="session")
def ours() -> peervenv.Environment:
    """This checkout's bespeak as a user installs it, with supervisor and an SSH library beside it."""
    try:
        return peervenv.environment("dispatch", ["supervisor==4.3.0", "asyncssh==2.24.1", "setuptools<80"], bespeak="")
    except peervenv.UnobtainableError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def fake_clock() -> str:
    """The library to preload."""
    try:
        environment = peervenv.environment("libfaketime", ["libfaketime==3.0.1"])
    except peervenv.UnobtainableError as error:
        pytest.fail(str(error), pytrace=False)
    found = glob.glob(os.path.join(environment.folder, "lib", "**", "libfaketime.so*"), recursive=True)
    assert found
    return min(found)


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    """A site on SQLite."""
    yield from sites(str(tmp_path))
