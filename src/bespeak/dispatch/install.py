"""``install``: the systemd unit or the supervisor section that keeps a dispatcher running, and how to enable it."""

from __future__ import annotations

import os

from bespeak.errors import BespeakError, UsageError

KINDS = ("systemd", "supervisor")
SYSTEMD_NAME = "bespeak-job.service"
SUPERVISOR_NAME = "bespeak-job.conf"


def _quoted(words: list[str]) -> str:
    """Quote for systemd: double quotes, with its specifier and variable characters doubled."""
    found = []
    for word in words:
        text = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
        found.append(f'"{text}"' if any(char in word for char in " \t'\";") or not word else text)
    return " ".join(found)


def systemd_unit(words: list[str], home: str, *, user: bool) -> str:
    """Return a unit for ``words``.

    Args:
        words: the dispatcher's command.
        home: what ORCHESJOB_HOME is to be.
        user: for the user's manager, not the system's.
    """
    target = "default.target" if user else "multi-user.target"
    environment = _quoted([f"ORCHESJOB_HOME={home}"])
    return f"""[Unit]
Description=bespeak: starts reserved jobs at their time
After=network.target

[Service]
Type=notify
ExecStart={_quoted(words)}
Environment={environment}
# Jobs outlive the dispatcher: only the dispatcher itself is told to stop.
KillMode=process
Restart=always
RestartSec=1
WatchdogSec=60
TimeoutStopSec=60
UMask=0077

[Install]
WantedBy={target}
"""


def supervisor_section(words: list[str], home: str) -> str:
    """Return a section for supervisor; its jobs have sessions of their own, which stopping as a group leaves alone."""
    import shlex

    def escaped(text: str) -> str:
        return text.replace("%", "%%")

    return f"""[program:bespeak-job]
command={escaped(shlex.join(words))}
environment=ORCHESJOB_HOME="{escaped(home)}"
autostart=true
autorestart=true
startsecs=3
startretries=10
stopasgroup=true
killasgroup=true
stopsignal=TERM
stopwaitsecs=60
stdout_logfile=/dev/fd/1
stdout_logfile_maxbytes=0
stderr_logfile=/dev/fd/2
stderr_logfile_maxbytes=0
"""


def default_path(kind: str, *, user: bool) -> str:
    """Return where the manager looks for such a file."""
    if kind == "supervisor":
        return os.path.join("/etc/supervisor/conf.d", SUPERVISOR_NAME)
    if user:
        from bespeak.places import user_folder

        return os.path.join(user_folder(os.environ, "XDG_CONFIG_HOME", ".config"), "systemd", "user", SYSTEMD_NAME)
    return os.path.join("/etc/systemd/system", SYSTEMD_NAME)


def enable_lines(kind: str, *, user: bool) -> list[str]:
    """Return the commands that enable what was written."""
    if kind == "supervisor":
        return ["supervisorctl reread", "supervisorctl update"]
    systemctl = "systemctl --user" if user else "systemctl"
    lines = [f"{systemctl} daemon-reload", f"{systemctl} enable --now {SYSTEMD_NAME}"]
    return [*lines, 'loginctl enable-linger "$USER"'] if user else lines


def write(path: str, text: str, *, force: bool) -> bool:
    """Write the file; False when it was there with the same text.

    Raises:
        UsageError: something else is there and ``force`` is not set.
        BespeakError: it cannot be written.
    """
    try:
        if os.path.exists(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                if file.read() == text:
                    return False
            if not force:
                raise UsageError(f"{path} exists with other contents; --force replaces it")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        temporary = f"{path}.{os.getpid()}.tmp"
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError as error:
        raise BespeakError(f"{path}: {error.strerror}; --print shows the text instead") from error
    return True
