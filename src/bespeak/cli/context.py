"""What a command is given: the options that every command has, the book, and who asks."""

from __future__ import annotations

import os
import sys

from bespeak.base.errors import BusyError
from bespeak.base.json_text import one_line
from bespeak.cli import output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from bespeak.ledger.model import Holder
    from bespeak.ledger.service import Ledger
    from bespeak.settings import Settings

    Values = dict[str, Any]

LAB_VARIABLE = "BESPEAK_LAB"


class Context:
    """One invocation.

    Args:
        shared: the options that every command has, by key.
    """

    __slots__ = (
        "_account",
        "_book",
        "_settings",
        "as_user",
        "colour",
        "debug",
        "done",
        "json",
        "lab_option",
        "ledger_flag",
        "meta",
        "skip_check",
    )

    def __init__(self, shared: Values) -> None:
        self.ledger_flag: str | None = shared["ledger"]
        self.as_user: str | None = shared["as_user"] or None
        self.skip_check: bool = shared["skip_reservation_check"]
        self.lab_option: tuple[str, ...] = shared["lab"]
        self.json: bool = shared["json"]
        self.debug: bool = shared["debug"]
        self.colour: bool = not shared["no_color"]
        self.meta: dict[str, Any] = {}
        self.done = ""
        """What has been changed, for the case that nobody can be told on stdout."""
        self._book: Ledger | None = None
        self._account: str | None = None
        self._settings: Settings | None = None

    @property
    def labs(self) -> tuple[str, ...]:
        """The labs named with ``--lab``, else in the environment, in order, each once."""
        given = self.lab_option or (os.environ.get(LAB_VARIABLE, ""),)
        return tuple(dict.fromkeys(name for text in given for part in text.split(",") if (name := part.strip())))

    def book(self, *, create: bool = False) -> Ledger:
        """Return the open book; it is closed when the command ends.

        Args:
            create: make the book where there is none, and say so: for what writes into an empty one.
        """
        if self._book is None:
            self._book = open_book(
                self.ledger_flag, create=create, settings=self._settings, when_made=self.say_it_is_new
            )
            if self._book.moved_to is not None:
                self.warn(f"this book has moved to {self._book.moved_to}; what you see is as it was then")
            else:
                self._tell_kicks(self._book)
        return self._book

    def say_it_is_new(self, book: str) -> None:
        """Say that there was no book, and where it was made."""
        self.warn(f"there was no book, so this is a new one: {book}")

    def _tell_kicks(self, book: Ledger) -> None:
        """Say what was taken away from who runs this command, once; where that cannot be said, the command goes on."""
        from bespeak.base.errors import BespeakError
        from bespeak.ledger.model import Holder

        try:
            notices = book.take_kick_notices(book.own(Holder(self._me())))
        except BespeakError:
            return
        for one in notices:
            from bespeak.cli.formatting import taken_away

            self.warn(taken_away(one))

    def book_to_look_at(self) -> Ledger:
        """Return the open book; the user's own, with a warning, where the folder is not trusted to name another."""
        from bespeak.settings.trust import UntrustedError

        try:
            return self.book()
        except UntrustedError as error:
            self.warn(f"this is your own book: {error}")
            self._book = open_book(self.ledger_flag, own=True)
            return self._book

    def naming_the_book(self, error: BusyError) -> BusyError:
        """Return what was refused with the book that was asked: who reads it may have meant another one."""
        if self._book is None or "book" in error.details:
            return error
        name = self._book.name
        return BusyError(*error.parts, f"; asked of book {name}", **error.details, book=name)

    def close(self) -> None:
        """Close what was opened."""
        if self._book is not None:
            self._book.close()
            self._book = None

    def forget_book(self) -> None:
        """Leave the book open until the process ends: another thread hangs in it, and closing would wait for that."""
        self._book = None

    def holder(self) -> Holder:
        """Return whose reservations are meant, and who really asks."""
        from bespeak.ledger.model import Holder

        me = self._me()
        named = Holder(me) if self.as_user is None else Holder(self.as_user, me)
        return self.book().own(named) if self._book is not None or self._is_on_a_server() else named

    def _me(self) -> str:
        """Return the account that runs this command; what is to be said of it is said once."""
        if self._account is None:
            from bespeak.reservations.identity import resolve_username

            self._account = resolve_username(None).username
        return self._account

    def _is_on_a_server(self) -> bool:
        """Tell whether the book is on a server, which then says who we are."""
        from bespeak.base.errors import BespeakError
        from bespeak.base.paths import HTTP_PREFIXES
        from bespeak.settings import ledger_place, load_settings

        try:
            self._settings = load_settings()
            return ledger_place(self.ledger_flag, self._settings).url.startswith(HTTP_PREFIXES)
        except BespeakError:
            return False  # opening the book says it

    def spoken(self) -> list[str]:
        """Return the shared options that a command suggested to the user has to repeat; never a password."""
        given = (("--ledger", self._place()), ("--as-user", self.as_user))
        return [word for flag, value in given if value is not None for word in (flag, value)]

    def _place(self) -> str | None:
        """Return what was typed after ``--ledger``, or the public part of it where a password may stand in it."""
        if self.ledger_flag is None:
            return None
        credentials = self.ledger_flag.partition("://")[2].rpartition("@")[0]
        if credentials.partition(":")[2] or "password" in self.ledger_flag.lower():
            from bespeak.base.paths import public_url

            return public_url(self.ledger_flag)
        return self.ledger_flag

    def announce(self) -> None:
        """Say on stderr that somebody else's name is used, so that it cannot be missed."""
        if self.as_user is not None:
            self.warn(f"acting as {self.as_user!a} (--as-user)", "magenta")

    def print(self, text: str, end: str = "\n") -> None:
        """Print a line (or several, or a part of one) of the answer; names in it have to be safe already."""
        try:
            sys.stdout.write(text + end)
        except OSError as error:
            raise output.not_written(error, self.done) from error

    def print_json(self, value: object) -> None:
        """Print the answer as one JSON document."""
        self.print(one_line(value))

    def answer(self, value: object, text: str) -> None:
        """Print ``value`` for programs (``--json``), else ``text`` for people."""
        if self.json:
            self.print_json(value)
        else:
            self.print(text)

    def warn(self, text: str, style: str = "yellow") -> None:
        """Print a line on stderr at once."""
        line = f"bespeak: {output.one_line(text)}"
        output.to_stderr(output.styled(line, style, output.colours(sys.stderr, self.colour)))


def open_book(
    flag: str | None,
    *,
    own: bool = False,
    create: bool = False,
    settings: Settings | None = None,
    when_made: Callable[[str], None] | None = None,
) -> Ledger:
    """Open the book that ``--ledger``, the environment or the settings name; with ``own``, not a repository's."""
    from bespeak.ledger.open_from_settings import open_book

    if os.environ.get("TZ"):
        from bespeak.base.timezones import local_zone

        local_zone()  # refuses one that there is not: its times would be shown, and counted, as those of UTC
    return open_book(flag, own=own, create=create, settings=settings, when_made=when_made)
