"""The published airflow-providers-orchesjob: its operator and sensor run unchanged, over a transport that is local.

Airflow itself (hundreds of packages) is not installed: four names of it are stood in for below, and its SSH hook runs
the command with ``sh -c`` as an SSH server does. What the provider builds and what it reads back is the provider's own.
"""

import os
import subprocess

SHIM = """
import subprocess, sys, types

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
        done = subprocess.run(["sh", "-c", command], capture_output=True)
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
        print("ended well")
        break
    time.sleep(0.1)
"""


def test_operator_and_sensor(site, provider_wheel, published, ours) -> None:
    programs = os.path.join(site.folder, "bin")
    os.mkdir(programs)
    os.symlink(ours.program("orchesjob-reserver"), os.path.join(programs, "orchesjob-reserver"))
    subprocess.run([ours.program("bespeak"), "runner", "alias", "--into", programs], check=True, capture_output=True)
    home = os.path.join(site.folder, "home")
    environ = site.environ(PATH=f"{programs}:{os.environ['PATH']}", PYTHONPATH=provider_wheel)
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
    assert (first, out) == ("waits\n", "ended well\n")
