"""A real supervisor runs the documented section as it stands (with a database of the test), and stops it as a group."""

import os
import subprocess

from support.job_sites import until

SECTION = """
[program:orchesjob-reserver]
command=orchesjob-reserver run --db {db}
autostart=true
autorestart=true
startsecs=3
startretries=10
stopasgroup=true
killasgroup=true
stopsignal=TERM
stdout_logfile={folder}/out.log
stdout_logfile_maxbytes=0
stderr_logfile={folder}/err.log
stderr_logfile_maxbytes=0
"""
DAEMON = """
[supervisord]
nodaemon=true
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
childlogdir={folder}
[unix_http_server]
file={folder}/s
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{folder}/s
"""


def test_the_documented_section(site, ours, tmp_path_factory) -> None:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="sv-", dir="/tmp") as folder:
        config = os.path.join(folder, "c")
        with open(config, "w") as file:
            file.write((DAEMON + SECTION).format(folder=folder, db=site.url))
        path = f"{os.path.dirname(ours.python)}:{os.environ['PATH']}"
        environ = site.environ(PATH=path, ORCHESJOB_BIN=site.runner)
        daemon = subprocess.Popen([ours.program("supervisord"), "-c", config], env=environ, stdout=subprocess.DEVNULL)
        try:
            site.reserve("k")
            until(lambda: site.status("k")["reservation_status"] == "DISPATCHED", "the dispatch")
            control = [ours.program("supervisorctl"), "-c", config]
            pid = site.call("health").json["dispatchers"][0]["pid"]
            os.kill(pid, 9)
            until(lambda: site.call("health").code == 0 and site.call("health").json["dispatchers"][0]["pid"] != pid)
            stopped = subprocess.run(
                [*control, "stop", "orchesjob-reserver"], capture_output=True, text=True, check=False
            )
            assert "stopped" in stopped.stdout
            with open(os.path.join(folder, "out.log")) as file:
                assert '"reserver_stopped"' in file.read().splitlines()[-1]
        finally:
            daemon.terminate()
            daemon.wait(60)
