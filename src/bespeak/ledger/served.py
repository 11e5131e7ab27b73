"""The other side of a book on a server: finds an operation by its name, reads its arguments, tells its value."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from bespeak.base.codec import Codec, DecodeError, encode, fields_of
from bespeak.base.errors import NotFoundError, UsageError
from bespeak.ledger import rights
from bespeak.ledger.context import LedgerContext
from bespeak.ledger.gate import Gate
from bespeak.ledger.model import Holder
from bespeak.ledger.operations import GATE, GATE_VALUES, OF_THE_MACHINE, ONCE, READS, REPEATABLE, VALUES
from bespeak.ledger.service import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


class Effect(Enum):
    """What an operation does when it is asked again."""

    READ = "read"
    REPEATABLE = "repeatable"
    ONCE = "once"


def holders_in(values: Iterable[object]) -> Iterator[Holder]:
    """Yield every holder that is named in some values, however deep."""
    for value in values:
        if isinstance(value, Holder):
            yield value
        elif isinstance(value, (tuple, list, set, frozenset)):
            yield from holders_in(value)
        elif isinstance(value, dict):
            yield from holders_in(value.values())
        elif (fields := fields_of(type(value))) is not None:
            yield from holders_in(getattr(value, name) for name in fields)


class Operations:
    """The methods of one service that can be asked from another machine.

    Args:
        of: the class of the service.
        names: their names, by what asking again does.
        values: the classes of the values that travel.
    """

    def __init__(self, of: type, names: Mapping[Effect, Iterable[str]], values: Mapping[str, str]) -> None:
        self._effects = {name: effect for effect, each in names.items() for name in each}
        self._methods: dict[str, Callable[..., Any]] = {name: getattr(of, name) for name in self._effects}
        self._codec = Codec(values, lenient=False)

    def effect(self, name: str) -> Effect:
        """Return what an operation does when it is asked again.

        Raises:
            NotFoundError: there is no such operation.
        """
        if name not in self._effects:
            raise NotFoundError(f"no operation {name!a:.80}")
        return self._effects[name]

    def perform(self, service: Any, name: str, given: object) -> Any:
        """Do an operation; return its value as JSON can say it.

        Args:
            service: as the caller may use it.
            name: of the operation.
            given: the arguments as they were sent.

        Raises:
            NotFoundError: there is no such operation.
            UsageError: it does not take these arguments.
            NotAllowedError: somebody else than the caller is said to ask.
        """
        self.effect(name)
        arguments = self._arguments(self._methods[name], name, given)
        if isinstance(service, LedgerContext):
            for holder in holders_in(arguments.values()):
                rights.require_identity(service, holder)
        try:
            return encode(getattr(service, name)(**arguments))
        except UnicodeEncodeError:
            raise UsageError(f"{name}: has a character that cannot be stored") from None

    def _arguments(self, method: Callable[..., Any], name: str, given: object) -> dict[str, Any]:
        if type(given) is not dict:
            raise UsageError(f"{name}: its arguments must be an object")
        code = method.__code__
        every = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
        known = [each for each in every if each not in OF_THE_MACHINE]
        optional = len(method.__defaults__ or ())
        needed = code.co_varnames[1 : code.co_argcount - optional]
        needed += tuple(each for each in every[code.co_argcount - 1 :] if each not in (method.__kwdefaults__ or {}))
        for each in needed:
            if each not in given:
                raise UsageError(f"{name}: {each} is missing")
        for each in given:
            if each not in known:
                raise UsageError(f"{name}: there is no argument {each!a:.80}")
        kinds = method.__annotations__
        try:
            found = {each: self._codec.decode(kinds[each], value, each) for each, value in given.items()}
        except DecodeError as error:
            raise UsageError(f"{name}: {error}") from None
        return found | {each: False for each in OF_THE_MACHINE if each in every}


LEDGER_OPERATIONS = Operations(Ledger, {Effect.READ: READS, Effect.REPEATABLE: REPEATABLE, Effect.ONCE: ONCE}, VALUES)
"""The operations of the book."""

GATE_OPERATIONS = Operations(Gate, {Effect.READ: GATE}, GATE_VALUES)
"""The gate's questions."""
