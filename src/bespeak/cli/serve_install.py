"""``serve install``: the systemd units that keep a server running."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from bespeak.base.errors import UsageError

if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values

ONLY_INSTALL = (("--print", "print"), ("--force", "force"), ("--remove", "remove"), ("--output", "output"))


def install(context: Context, values: Values) -> int:
    """Write, print or remove the units; say how to enable them."""
    from bespeak.server import service_units

    if sum(map(bool, (values["print"], values["force"], values["remove"]))) > 1:
        raise UsageError("choose one of --print, --force and --remove")
    folder = os.path.abspath(values["output"] or service_units.FOLDER)
    if values["remove"]:
        return _say(context, service_units.remove_all(folder), "removed", service_units.disable_lines())
    texts = _texts(context, values)
    if values["print"]:
        sys.stdout.write("\n".join(f"# {name}\n{text}" for name, text in texts.items()))
        return 0
    written = service_units.write_all(folder, texts, force=values["force"])
    files = [os.path.join(folder, name) for name in texts]
    return _say(context, files, "written" if written else "unchanged", service_units.enable_lines())


def _texts(context: Context, values: Values) -> dict[str, str]:
    from bespeak.base.http_url import parse_http_url
    from bespeak.base.paths import HTTP_PREFIXES
    from bespeak.jobs.service_files import refuse_secrets
    from bespeak.server import exposure, service_units
    from bespeak.server.settings import DEFAULT_PORT

    host, port = values["host"] or "127.0.0.1", values["port"] or DEFAULT_PORT
    exposure.check(
        host,
        tls=values["tls_self"] or values["tls_cert"] is not None,
        proxy=exposure.networks(values["behind_proxy"]),
    )
    place = os.path.abspath(values["socket"] or service_units.PLACE)
    book = context.ledger_flag or os.environ.get("BESPEAK_LEDGER") or service_units.BOOK
    if book.startswith(HTTP_PREFIXES):
        name = parse_http_url(book).name
        raise UsageError(f"book {name}: it is on a server already; name its path or postgresql:// URL with --ledger")
    book = book if "://" in book else os.path.abspath(os.path.expanduser(book))
    words = [sys.executable, "-P", "-m", "bespeak", "serve", *_passed_on(values)]
    refuse_secrets([book])
    for text in (book, place, *words):
        if "\n" in text:
            raise UsageError(f"{text!a}: has a character that such a file cannot hold")
    return {
        service_units.SERVICE: service_units.service(words, {"BESPEAK_LEDGER": book}),
        service_units.SOCKET: service_units.sockets(host, port, place),
    }


def _passed_on(values: Values) -> list[str]:
    """Return the options of the server that do not say where it listens: systemd opens its sockets."""
    words = []
    for flag, key in (("--tls-cert", "tls_cert"), ("--tls-key", "tls_key")):
        if values[key] is not None:
            words += [flag, os.path.abspath(values[key])]
    if values["proxy_user_header"] is not None:
        words += ["--proxy-user-header", values["proxy_user_header"]]
    for flag, key in (("--tls-self", "tls_self"), ("--hide-names", "hide_names")):
        words += [flag] if values[key] else []
    for flag, key in (("--allow-host", "allow_host"), ("--public", "public"), ("--behind-proxy", "behind_proxy")):
        words += [word for value in values[key] for word in (flag, value)]
    return words


def _say(context: Context, files: list[str], state: str, commands: list[str]) -> int:
    text = "\n".join([f"{state}: {path}" for path in files] or ["nothing was there"])
    context.answer({"files": files, "state": state, "commands": commands}, "\n".join([text, *commands]))
    return 0
