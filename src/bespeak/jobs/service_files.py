"""``install``: the systemd unit or the supervisor section that keeps a dispatcher running, and how to enable it."""

from __future__ import annotations

import errno
import os
import re
from typing import TYPE_CHECKING

from bespeak.base.errors import BespeakError, Field, UsageError
from bespeak.base.fileio import read_regular, write_atomically
from bespeak.base.paths import JOBS_FOLDER, POSTGRES_PREFIXES
from bespeak.jobs.locations import home
from bespeak.jobs.runner_client.location import EMBEDDED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bespeak.jobs.runner_client.location import Runner

_HOMES = ("ORCHESJOB_RESERVER_HOME", "ORCHESJOB_HOME")
KINDS = ("systemd", "supervisor")
SYSTEMD_NAME = "bespeak-job.service"
SUPERVISOR_NAME = "bespeak-job.conf"


def environment(environ: Mapping[str, str], prog: str, runner: Runner) -> dict[str, str]:
    """Return the variables with which the service finds what this shell finds: the same store, book and runner.

    Args:
        environ: of the caller.
        prog: the name we are called by.
        runner: the one that the caller's jobs are started with.
    """
    found = {name: os.path.abspath(environ[name]) for name in _HOMES if environ.get(name)}
    book = environ.get("BESPEAK_LEDGER")
    if book:
        found["BESPEAK_LEDGER"] = book if "://" in book else os.path.abspath(os.path.expanduser(book))
    if not any(name in found for name in _HOMES) and not found.get("BESPEAK_LEDGER", "").startswith(POSTGRES_PREFIXES):
        found["ORCHESJOB_HOME"] = os.path.abspath(home(environ, prog))
    if not runner.embedded:
        # A service has another PATH than a shell.
        found["ORCHESJOB_BIN"] = _program(runner.words[0], environ)
    elif environ.get("ORCHESJOB_BIN"):
        found["ORCHESJOB_BIN"] = EMBEDDED
    for name, value in found.items():
        if "\n" in value or '"' in value:
            raise UsageError(f"{name} {value!a}: has a character that such a file cannot hold")
    return found


def refuse_secrets(texts: Iterable[str]) -> None:
    """Refuse to write a password into a file that every account of the machine may read, or to print it.

    Raises:
        UsageError: one of the texts is the URL of a book, with a secret in it.
    """
    from bespeak.storage.postgres.url import PostgresUrl

    for text in texts:
        if text.startswith(POSTGRES_PREFIXES) and PostgresUrl(text).has_secret:
            raise UsageError(
                "install: the URL of the book has a password, and a service's file is no place for one; "
                "put it into PostgreSQL's password file (~/.pgpass) of the service's user"
            )


def _program(name: str, environ: Mapping[str, str]) -> str:
    import shutil

    found = shutil.which(name, path=environ.get("PATH"))
    return os.path.abspath(found) if found else name


def unit_word(word: str, *, command: bool = False) -> str:
    """Return a word as a systemd unit takes it for itself.

    Args:
        word: any text of one line.
        command: it is one of a command, where a dollar sign would begin a variable.
    """
    text = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    text = text.replace("$", "$$") if command else text
    return f'"{text}"' if any(char in word for char in " \t'\";") or not word else text


_ROOT = "root"
_USER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}|[0-9]{1,9}")


def service_account(named: str | None, environ: Mapping[str, str]) -> str:
    """Return the account that the service and so the jobs run under: the named one, else the caller's.

    Args:
        named: ``--service-user``.
        environ: who called ``sudo`` is read from it.

    Raises:
        UsageError: it would be root, and nobody has said so; or it is no name.
    """
    if named is not None:
        if not _USER_NAME.fullmatch(named):
            raise UsageError(Field("service_user"), f" {named!a}: is no name of an account")
        return named
    from bespeak.jobs.resource_bookings import this_user

    found = environ.get("SUDO_USER") or this_user()
    if os.geteuid() != 0 or (found != _ROOT and _USER_NAME.fullmatch(found)):
        return found
    raise UsageError(
        "the jobs would run as root: ",
        Field("service_user"),
        " NAME says as whom; ",
        Field("service_user"),
        " root if that is meant",
    )


def systemd_unit(words: list[str], variables: Mapping[str, str], *, account: str | None) -> str:
    """Return a unit for ``words``.

    Args:
        words: the dispatcher's command.
        variables: its environment.
        account: whom it runs as; None for a unit of the user's own manager.
    """
    target = "multi-user.target" if account else "default.target"
    command = " ".join(unit_word(word, command=True) for word in words)
    settings = [f"{name}={value}" for name, value in variables.items()]
    lines = "\n".join(f"Environment={unit_word(setting)}" for setting in settings)
    # What is not there yet at boot, a book on a server for instance, is waited for; no number of failures is the last.
    system = f"User={account}\n{_state_folder(variables)}" if account else ""
    return f"""[Unit]
Description=bespeak: starts reserved jobs at their time
Wants=network-online.target
After=network-online.target time-sync.target
StartLimitIntervalSec=0

[Service]
Type=notify
TimeoutStartSec=infinity
{system}ExecStart={command}
{lines}
# Jobs outlive the dispatcher: only the dispatcher itself is told to stop.
KillMode=process
Restart=always
RestartSec=1
WatchdogSec=60
TimeoutStopSec=60

[Install]
WantedBy={target}
"""


def _state_folder(variables: Mapping[str, str]) -> str:
    """Have systemd make the documented folder for the account, which may not make it itself."""
    name = os.path.basename(JOBS_FOLDER)
    return f"StateDirectory={name}\nStateDirectoryMode=0700\n" if JOBS_FOLDER in variables.values() else ""


def supervisor_section(words: list[str], variables: Mapping[str, str], account: str) -> str:
    """Return a section for supervisor; its jobs have sessions of their own, which stopping as a group leaves alone."""
    import shlex

    def escaped(text: str) -> str:
        return text.replace("%", "%%")

    settings = ",".join(f'{name}="{escaped(value)}"' for name, value in variables.items())
    return f"""[program:bespeak-job]
command={escaped(shlex.join(words))}
user={account}
environment={settings}
autostart=true
autorestart=true
startsecs=3
startretries=1000000
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
        from bespeak.base.paths import user_folder

        return os.path.join(user_folder(os.environ, "config", of="systemd"), "user", SYSTEMD_NAME)
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
    content = text.encode()
    try:
        if os.path.lexists(path):
            if _has(path, content):
                return False
            if not force:
                raise UsageError(f"{path} exists with other contents; ", Field("force"), " replaces it")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        # The URL of a book may have a password in it.
        write_atomically(path, content, 0o600 if "://" in text else 0o666)
    except OSError as error:
        raise BespeakError(f"{path}: {error.strerror}; ", Field("print"), " shows the text instead") from error
    return True


def _has(path: str, content: bytes) -> bool:
    try:
        return read_regular(path)[0] == content
    except OSError as error:
        if error.errno == errno.EACCES:
            raise
        return False  # a link to /dev/null, which is how systemd masks a unit, or to nothing
