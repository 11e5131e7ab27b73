"""The same declarations as Click commands: for help, errors with suggestions, and completion.

Nothing is run from here. A Click command made from a declaration only returns what was typed, in the shape that the
fast parser returns too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from bespeak.argv.click_words import WordSplitter
from bespeak.argv.completion_values import completions
from bespeak.argv.declarations import Parsed, Program, find
from bespeak.base.display import escape_unprintable, suggest
from bespeak.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.argv.declarations import Argument, Command, Entry, Option

_SHARED = "shared_"
_TAIL = "bespeak.tail"
_SETTINGS = {"max_content_width": 110, "help_option_names": ["-h", "--help"]}


def read(program: Program, argv: Sequence[str], prog: str) -> Parsed | int:
    """Read a command line; return what was typed, or the exit code after help was printed.

    Args:
        program: whose command line it is.
        argv: the words after the program's name.
        prog: the name it was called by.

    Raises:
        UsageError: the words cannot be understood.
    """
    try:
        return parse(program, argv, prog)
    except click.ClickException as error:
        context: click.Context | None = getattr(error, "ctx", None)
        hint = f"see '{context.command_path if context is not None else prog} --help'"
        raise UsageError(_message(error, context), hint=hint) from None


def parse(program: Program, argv: Sequence[str], prog: str = "") -> Parsed | int:
    """Read a command line as :func:`read` does, and leave Click's errors as they are.

    Raises:
        click.ClickException: the words cannot be understood.
    """
    root = Root(program)
    try:
        with root.make_context(prog or program.name, list(argv)) as context:
            result: Parsed | int = root.invoke(context)
            return result
    except click.exceptions.Exit as done:
        return done.exit_code


def _message(error: click.ClickException, context: click.Context | None) -> str:
    """Put Click's message into the manner of ours: on one line, small first letter, no full stop."""
    if isinstance(error, click.MissingParameter) and isinstance(error.param, click.Option):
        return f"{error.param.opts[-1]} is required"
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and context and isinstance(context.command, click.Group):
        return f"missing command; known: {', '.join(context.command.list_commands(context))}"
    text = escape_unprintable(" ".join(error.format_message().split()))
    small = text[1:2].islower() or text[1:2] == " "
    return (text[:1].lower() + text[1:] if small else text).removesuffix(".")


def _parameter(program: Program, option: Option, prefix: str = "") -> click.Option:
    declared = [prefix + option.key, *option.flags]
    if not option.metavar:
        return click.Option(declared, is_flag=True, default=False, help=option.text)
    metavar = f"[{option.metavar}]" if option.optional_value else option.metavar
    return click.Option(
        declared,
        type=click.INT if option.kind == "int" else click.STRING,
        metavar=metavar + ("..." if option.words else ""),
        multiple=option.many,
        required=option.required,
        help=option.text,
        shell_complete=completions(program, option.complete) if option.complete else None,
    )


def _argument(program: Program, argument: Argument) -> click.Argument:
    word = argument.metavar + ("..." if argument.many else "")
    return click.Argument(
        [argument.key],
        type=click.Choice(argument.choices) if argument.choices else click.STRING,
        metavar=word if argument.required else f"[{word}]",
        nargs=-1 if argument.many else 1,
        required=argument.required,
        shell_complete=completions(program, argument.complete) if argument.complete else None,
    )


class Leaf(click.Command):
    """One command; its value is what was typed.

    Args:
        program: whose command it is.
        entry: what the index says of it.
        spec: its declaration.
    """

    def __init__(self, program: Program, entry: Entry, spec: Command) -> None:
        self.program = program
        self.spec = spec
        self.own = [_parameter(program, option) for option in spec.options]
        self.shared = [_parameter(program, option, _SHARED) for option in program.shared]
        super().__init__(
            entry.name,
            params=[*(_argument(program, argument) for argument in spec.arguments), *self.own, *self.shared],
            help=entry.summary + ("\n\n" + spec.text if spec.text else ""),
            short_help=entry.summary,
            callback=self._typed,
            context_settings=dict(_SETTINGS),
        )

    def _typed(self, **values: Any) -> Parsed:
        context = click.get_current_context()
        for option in self.spec.options:
            if option.many:
                values[option.key] = tuple(values[option.key])
        own = {key: value for key, value in values.items() if not key.startswith(_SHARED)}
        self._check_one_of(context, own)
        if self.spec.tail:
            tail = context.meta.get(_TAIL)
            own |= {"tail": tuple(tail or ()), "tail_given": tail is not None}
        return Parsed(self.spec, _merged(self.program, context), own)

    def _check_one_of(self, context: click.Context, values: dict[str, Any]) -> None:
        flags = self.spec.one_of
        known = [option for option in self.spec.options if option.flags[-1] in flags]
        typed = [option.flags[-1] for option in known if values[option.key] != option.default]
        either = " and ".join(filter(None, (", ".join(flags[:-1]), *flags[-1:])))
        if known and not typed:
            raise click.UsageError(f"exactly one of {either} is required", context)
        if len(typed) > 1:
            message = f"{typed[1]} cannot be combined with {typed[0]}: exactly one of {either}"
            raise click.UsageError(message, context)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Attach values to their options, spell out abbreviations, and set aside the words of a command behind."""
        words = WordSplitter(ctx, self.program, self.spec.options, tail_at_word=self.spec.tail_at_word)
        head, tail = words.split(args)
        if self.spec.tail:
            ctx.meta[_TAIL] = tail
        elif tail is not None:
            head = [*head, "--", *tail]
        return super().parse_args(ctx, head)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Show what has to be typed, and the command that may follow."""
        by_flag = {option.flags[-1]: option for option in self.spec.options}
        needed = [f"{flag} {option.metavar}" for flag, option in by_flag.items() if option.required]
        choice = " | ".join(f"{flag} {by_flag[flag].metavar}".rstrip() for flag in self.spec.one_of)
        dashes = "[--]" if self.spec.tail_at_word else "--"
        tail = [f"[{dashes} {self.spec.tail}...]"] if self.spec.tail else []
        return [*needed, *([f"({choice})"] if choice else []), *super().collect_usage_pieces(ctx), *tail]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the command's own options apart from those that every command has."""
        own = [record for option in self.own if (record := option.get_help_record(ctx))]
        shared = [record for option in self.shared if (record := option.get_help_record(ctx))]
        if own:
            with formatter.section("Options"):
                formatter.write_dl(own)
        with formatter.section("Options of every command"):
            formatter.write_dl([*shared, ("-h, --help", "Show this message.")])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show the examples."""
        with formatter.section("Examples"):
            for line, does in self.spec.examples:
                formatter.write(f"{'':>{formatter.current_indent}}# {does}\n")
                formatter.write(f"{'':>{formatter.current_indent}}{_prog(ctx)} {line}\n")


def _prog(ctx: click.Context) -> str:
    """Return the name that the program was called by."""
    return ctx.find_root().info_name or ""


class _Lazy(click.Group):
    """A group whose commands are imported when they are asked for.

    Args:
        program: whose commands these are.
        entries: its commands, as the index has them.
    """

    def __init__(self, program: Program, entries: Sequence[Entry], name: str, **settings: Any) -> None:
        self.program = program
        self.entries = entries
        super().__init__(name, context_settings=dict(_SETTINGS), **settings)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 Click's shape
        """Return the names in the order of the index."""
        return [entry.name for entry in self.entries]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Make the command of that name."""
        entry = find(self.entries, cmd_name)
        if entry is None:
            return None
        if entry.entries:
            return _Lazy(self.program, entry.entries, entry.name, help=entry.summary, short_help=entry.summary)
        found = entry.load()
        if not isinstance(found, Program):
            return Leaf(self.program, entry, found)
        return Root(found, entry.name) if ctx.resilient_parsing else _Delegate(self.program, entry, found)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer the commands as the index has them; none is imported."""
        known = [CompletionItem(entry.name, help=entry.summary) for entry in self.entries]
        return [item for item in known if item.value.startswith(incomplete)] + click.Command.shell_complete(
            self, ctx, incomplete
        )

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 Click's shape
        """List the commands as the index has them; none is imported."""
        with formatter.section("Commands"):
            formatter.write_dl([(entry.name, entry.summary) for entry in self.entries])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the commands that were perhaps meant, where there is none of that name."""
        name = args[0]
        if find(self.entries, name) is None and not ctx.resilient_parsing and not name.startswith("-"):
            known = self.list_commands(ctx)
            other = self.program.other_words.get(name) if isinstance(self, Root) else None
            meant = [other] if other else (_inside_groups(self.entries, name) or suggest(name, known))
            hint = f"; did you mean {' or '.join(meant)}?" if meant else f"; known: {', '.join(known)}"
            raise click.UsageError(f"no command {escape_unprintable(name)!r}{hint}", ctx)
        return super().resolve_command(ctx, args)


def _inside_groups(entries: Sequence[Entry], name: str) -> list[str]:
    """Return the commands of this name that groups have, as they are typed."""
    return [f"{group.name} {entry.name}" for group in entries for entry in group.entries if entry.name == name]


class Root(_Lazy):
    """A program.

    Args:
        program: its declaration.
        name: as a command of another program; by default its own.
    """

    def __init__(self, program: Program, name: str = "") -> None:
        version = click.Option(["--version"], is_flag=True, expose_value=False, is_eager=True, callback=_print_version)
        version.help = "Print the version."
        super().__init__(
            program,
            program.entries,
            name or program.name,
            params=[*(_parameter(program, option, _SHARED) for option in program.shared), version],
            help=program.summary + ("\n\n" + program.text if program.text else ""),
        )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Attach values to the options before the command, and spell out abbreviations."""
        head, tail = WordSplitter(ctx, self.program, tail_at_word=True).split(args)
        return super().parse_args(ctx, [*head, "--", *tail] if tail else head)


class _Delegate(click.Command):
    """A program under the name of another: everything after its name is its own business.

    Args:
        outer: whose command it is.
        entry: what the index says of it.
        program: its declaration.
    """

    def __init__(self, outer: Program, entry: Entry, program: Program) -> None:
        self.outer = outer
        self.program = program
        super().__init__(entry.name, short_help=entry.summary, help=entry.summary, add_help_option=False)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep every word as it is."""
        ctx.args = list(args)
        return []

    def invoke(self, ctx: click.Context) -> Parsed:
        """Return what was typed."""
        return Parsed(self.program, _merged(self.outer, ctx), {"tail": tuple(ctx.args)})


def _merged(program: Program, context: click.Context) -> dict[str, object]:
    """Return the options that every command has, typed before the command or after it (which wins)."""
    merged: dict[str, Any] = {option.key: option.default for option in program.shared}
    levels = [context]
    while (parent := levels[0].parent) is not None:
        levels.insert(0, parent)
    for level in levels:
        for option in program.shared:
            value = level.params.get(_SHARED + option.key)
            if option.many:
                merged[option.key] += tuple(value or ())
            elif value not in (None, False):
                merged[option.key] = value
    return merged


def _print_version(context: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: ARG001 Click's shape
    if value and not context.resilient_parsing:
        from bespeak import __version__

        click.echo(f"{_prog(context)} {__version__}")
        context.exit()
