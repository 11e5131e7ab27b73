"""Asking a server for operations: arguments and values are read by the annotations of the methods themselves."""

from __future__ import annotations

import json
import time

from bespeak.base import ids
from bespeak.base.codec import Codec, DecodeError, encode
from bespeak.base.errors import OutcomeUnknownError, UnavailableError
from bespeak.base.frozen import frozen
from bespeak.client.requests import ANSWER_SECONDS
from bespeak.ledger.problems import MEDIA_TYPE, from_problem
from bespeak.storage.time_limit import left_seconds, within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Protocol

    from bespeak.client.connection import Answer
    from bespeak.client.requests import Requests

    class Asking(Protocol):
        """A service whose methods are asked of a server."""

        @property
        def calls(self) -> Calls:
            """Asks the server."""


CALL_PATH = "/api/v1/call/"
WELCOME = "welcome"
_FAILED = 400
_NOT_SIGNED_IN = 401
_BROKEN = 500
_AGAIN_SECONDS = 0.2
_TRIES = 10
"""So often an answer that makes no sense is asked for again."""


@frozen
class Welcome:
    """What a server says of itself and of whoever asks.

    Args:
        user: whose reservations are made and changed: who the server has found the caller to be.
        version: of the server's bespeak.
    """

    user: str
    version: str


class _GarbledError(Exception):
    """No answer to what was asked: it was cut off on the way, or the server itself has failed."""


class Calls:
    """Asks a server to do operations.

    Args:
        requests: the way to the server.
        values: the classes of the values that travel; see :class:`~bespeak.base.codec.Codec`.
        query: what follows the path of each operation.
    """

    def __init__(self, requests: Requests, values: Mapping[str, str], query: str = "") -> None:
        self.requests = requests
        self._query = query
        self._codec = Codec({**values, "Welcome": __name__}, lenient=True)
        self._welcome: Welcome | None = None

    def ask(self, name: str, arguments: Mapping[str, object], returns: str, *, write: bool) -> Any:
        """Have an operation done; return its value.

        Args:
            name: of the operation.
            arguments: by name; values.
            returns: the annotation of what comes back.
            write: it may change something, and is done once.

        Raises:
            BespeakError: as the operation itself would raise it.
            UnavailableError: the server cannot be asked.
            OutcomeUnknownError: it may or may not have been done.
        """
        body = json.dumps({key: encode(value) for key, value in arguments.items()}).encode()
        key = ids.new_id() if write else None
        until = time.monotonic() + left_seconds(ANSWER_SECONDS)
        tries = _TRIES
        while True:
            with within(until - time.monotonic()):
                answer = self.requests.ask("POST", CALL_PATH + name + self._query, body, key=key)
            try:
                return self._read(answer, returns)
            except _GarbledError as error:
                tries -= 1
                if not tries or time.monotonic() + _AGAIN_SECONDS >= until:
                    raise (OutcomeUnknownError if write else UnavailableError)(str(error)) from error
            except OutcomeUnknownError:
                if not write or time.monotonic() + _AGAIN_SECONDS >= until:
                    raise
            time.sleep(_AGAIN_SECONDS)  # under the same key the server finds out what became of it

    def _read(self, answer: Answer, returns: str) -> Any:
        name = self.requests.address.name
        is_problem = answer.headers.get("content-type", "").startswith(MEDIA_TYPE)
        if answer.status >= _FAILED and not is_problem:
            raise UnavailableError(f"book {name}: status {answer.status}; is this the address of a bespeak server?")
        try:
            found = json.loads(answer.body)
        except ValueError as error:
            raise _GarbledError(f"book {name}: its answer was cut off: {error}") from error
        try:
            if answer.status < _FAILED:
                return self._codec.decode(returns, found["result"], "result")
            failure = from_problem(found)
        except (DecodeError, LookupError, TypeError, AttributeError) as error:
            raise UnavailableError(f"book {name}: its answer makes no sense: {error}") from error
        if answer.status == _NOT_SIGNED_IN:
            why = "it does not know who you are" if self.requests.is_anonymous else str(failure)
            raise UnavailableError(f"book {name}: {why}; set BESPEAK_TOKEN, or sign in with: bespeak login")
        if answer.status >= _BROKEN and not isinstance(failure, UnavailableError):
            raise _GarbledError(f"book {name}: {failure}")
        raise failure

    def welcome(self) -> Welcome:
        """Return what the server says of itself and of us; asked once."""
        if self._welcome is None:
            self._welcome = self.ask(WELCOME, {}, "Welcome", write=False)
        return self._welcome


def ask_server(remote: type, service: type, group: str, reads: Iterable[str] = (), writes: Iterable[str] = ()) -> None:
    """Give a class the methods of a service, each of which asks a server.

    Args:
        remote: the class.
        service: the service on this machine, whose methods say what they take and return.
        group: what operations of the service are called by, before their names; empty for the book itself.
        reads: the names of methods that change nothing.
        writes: the names of those that may.
    """
    prefix = f"{group}." if group else ""
    for names, write in ((reads, False), (writes, True)):
        for name in names:
            setattr(remote, name, _method(getattr(service, name), prefix + name, write=write))


def _method(method: Callable[..., object], name: str, *, write: bool) -> Callable[..., Any]:
    """Return the method that asks a server for ``method``.

    Args:
        method: a function whose first argument is the service.
        name: of the operation.
        write: it may change something.
    """
    code = method.__code__
    positional = code.co_varnames[1 : code.co_argcount]
    known = frozenset(code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount])
    needed = positional[: len(positional) - len(method.__defaults__ or ())]
    returns = method.__annotations__["return"]

    def ask(self: Asking, *given: object, **named: object) -> Any:
        arguments = dict(zip(positional, given, strict=False))
        wrong = named.keys() & arguments.keys() or named.keys() - known
        arguments |= named
        missing = [each for each in needed if each not in arguments]
        if len(given) > len(positional) or wrong or missing:
            raise TypeError(f"{name}(): missing {missing}, unknown or repeated {sorted(wrong)}")
        return self.calls.ask(name, arguments, returns, write=write)

    ask.__name__, ask.__doc__ = name, method.__doc__
    return ask
