"""The published airflow-providers-orchesjob: its operators and its sensor run unchanged, over a real OpenSSH server.

Airflow itself (hundreds of packages) is not installed: four names of it are stood in for below, and its SSH hook runs
each command through OpenSSH's client, a connection each. What the provider builds and what it reads back is the provider's own.
"""

import json
import os
import subprocess
from collections.abc import Iterator

import pytest

from support import openssh, peervenv

SHIM = """
import json, os, subprocess, sys, types

def module(name, **names):
    made = types.ModuleType(name)
    made.__dict__.update(names)
    sys.modules[name] = made

class Error(Exception): pass

class Base:
    def __init__(self, **kwargs):
        import logging
        self.log = logging.getLogger("task")

class Channel:
    def __init__(self, code): self.code = code
    def recv_exit_status(self): return self.code

class Stream:
    def __init__(self, data, code): self.data, self.channel = data, Channel(code)
    def read(self): return self.data

class Hook:
    def __init__(self, **kwargs): pass
    def get_conn(self): return self
    def close(self): pass
    def exec_command(self, command, timeout=None):
        words = [*json.loads(os.environ["SSH_WORDS"]), command]
        done = subprocess.run(words, capture_output=True, stdin=subprocess.DEVNULL)
        return None, Stream(done.stdout, done.returncode), Stream(done.stderr, done.returncode)

for name in ("airflow", "airflow.providers", "airflow.providers.ssh", "airflow.providers.ssh.hooks",
             "airflow.sensors", "airflow.utils"):
    module(name)
module("airflow.exceptions", AirflowException=Error)
module("airflow.models", BaseOperator=Base)
module("airflow.sensors.base", BaseSensorOperator=Base)
module("airflow.utils.context", Context=dict)
module("airflow.providers.ssh.hooks.ssh", SSHHook=Hook)
"""
DAG = """
import sys, time
from airflow_providers_orchesjob.operators.orchesjob import OrchesJobOperator
from airflow_providers_orchesjob.operators.reserver import OrchesJobReserveOperator
from airflow_providers_orchesjob.sensors.orchesjob import OrchesJobSensor

reserve = OrchesJobReserveOperator(
    ssh_conn_id="edge", run_key="daily", command=["/bin/sh", "-c", "echo it ran"], metadata={"env": "prod", "n": [1]},
    orchesjob_start_options=["--strict"], not_before="2026-01-01T00:00:00+00:00", orchesjob_home=sys.argv[1],
)
first = reserve.execute({})
again = reserve.execute({})
assert first["created"] and not again["created"], (first, again)
assert first["reservation"]["reservation_id"] == again["reservation"]["reservation_id"]
assert first["reservation"]["metadata"] == {"env": "prod", "n": [1]}
sensor = OrchesJobSensor(ssh_conn_id="edge", run_key="daily", orchesjob_home=sys.argv[1])
print("waits" if not sensor.poke({}) else "too early", flush=True)
sys.stdin.readline()
for _ in range(600):
    if sensor.poke({}):
        print("ended well", flush=True)
        break
    time.sleep(0.5)

class Task:
    pushed = {}
    def xcom_push(self, key, value): self.pushed[key] = value

task = Task()
direct = OrchesJobOperator(
    ssh_conn_id="edge", run_key="direct", command=["/bin/sh", "-c", "echo one"], orchesjob_home=sys.argv[1]
)
job = direct.execute({"ti": task})
assert task.pushed["job_id"] == job
by_key = OrchesJobSensor(ssh_conn_id="edge", run_key="direct", orchesjob_home=sys.argv[1])
for _ in range(600):
    if by_key.poke({}):
        print("ended directly", flush=True)
        break
    time.sleep(0.5)
"""


@pytest.fixture
def edge(site, tmp_path) -> Iterator[openssh.Server]:
    """The host that Airflow reaches; its sessions have the programs of the test on PATH."""
    folder = tmp_path / "sshd"
    folder.mkdir()
    variables = f"SetEnv PATH={site.folder}/bin:{os.environ['PATH']} HOME={tmp_path}"
    try:
        with openssh.server(folder, variables) as found:
            yield found
    except peervenv.UnobtainableError as error:
        pytest.fail(str(error), pytrace=False)


def test_operators_and_sensor(site, provider_wheel, published, ours, edge: openssh.Server) -> None:
    programs = os.path.join(site.folder, "bin")
    os.mkdir(programs)
    os.symlink(ours.program("orchesjob-reserver"), os.path.join(programs, "orchesjob-reserver"))
    subprocess.run([ours.program("bespeak"), "runner", "alias", "--into", programs], check=True, capture_output=True)
    home = os.path.join(site.folder, "home")
    environ = site.environ(PATH=f"{programs}:{os.environ['PATH']}", PYTHONPATH=provider_wheel)
    environ["SSH_WORDS"] = json.dumps(edge.ssh("")[:-1])
    dag = subprocess.Popen(
        [published.python, "-c", SHIM + DAG, home],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ,
    )
    assert dag.stdout is not None
    first = dag.stdout.readline()
    running = subprocess.Popen(
        [ours.program("orchesjob-reserver"), "run"], env=environ | {"PYTHONPATH": ""}, stdout=subprocess.DEVNULL
    )
    try:
        out, err = dag.communicate("go on\n", timeout=120)
    finally:
        dag.kill()
        running.terminate()
        running.wait(60)
    assert dag.returncode == 0, err
    assert (first, out) == ("waits\n", "ended well\nended directly\n")
