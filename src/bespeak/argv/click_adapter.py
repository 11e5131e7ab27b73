"""The same table as Click commands: for help, errors with suggestions, and completion.

Nothing is run from here. A Click command made from the table only returns what was typed, in the shape that the quick
parser returns too; :mod:`bespeak.cli.main` then runs it.
"""

from __future__ import annotations

import click

from bespeak.argv.declarations import Group, Parsed, split_tail
from bespeak.cli import tables
from bespeak.cli.completion import completions
from bespeak.text import nearest, safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from bespeak.argv.declarations import Argument, Command, Option

_SHARED = "shared_"
_SETTINGS = {"max_content_width": 110, "help_option_names": ["-h", "--help"]}


def parse(argv: Sequence[str]) -> Parsed | int:
    """Read a command line; return what was typed, or the exit code after help was printed.

    Raises:
        click.ClickException: the words cannot be understood.
    """
    root = Root()
    try:
        with root.make_context("bespeak", list(argv)) as context:
            result: Parsed | int = root.invoke(context)
            return result
    except click.exceptions.Exit as done:
        return done.exit_code


def _parameter(option: Option, prefix: str = "") -> click.Option:
    declared = [prefix + option.key, *option.flags]
    if not option.metavar:
        return click.Option(declared, is_flag=True, default=False, help=option.text)
    return click.Option(
        declared,
        type=click.INT if option.kind == "int" else click.STRING,
        metavar=f"[{option.metavar}]" if option.optional_value else option.metavar,
        multiple=option.many,
        help=option.text,
        shell_complete=completions(option.complete) if option.complete else None,
    )


def _argument(argument: Argument) -> click.Argument:
    return click.Argument(
        [argument.key],
        type=click.Choice(argument.choices) if argument.choices else click.STRING,
        metavar=_argument_usage(argument),
        nargs=-1 if argument.many else 1,
        required=argument.required,
        shell_complete=completions(argument.complete) if argument.complete else None,
    )


def _argument_usage(argument: Argument) -> str:
    word = argument.metavar + ("..." if argument.many else "")
    return word if argument.required else f"[{word}]"


class Leaf(click.Command):
    """One command of the table; its value is what was typed.

    Args:
        spec: the declaration.
    """

    def __init__(self, spec: Command) -> None:
        self.spec = spec
        self.own = [_parameter(option) for option in spec.options]
        self.shared = [_parameter(option, _SHARED) for option in tables.SHARED]
        super().__init__(
            spec.name.rpartition(" ")[2],
            params=[*map(_argument, spec.arguments), *self.own, *self.shared],
            help=spec.summary + ("\n\n" + spec.text if spec.text else ""),
            short_help=spec.summary,
            callback=self._typed,
            context_settings=dict(_SETTINGS),
        )

    def _typed(self, **values: Any) -> Parsed:
        context = click.get_current_context()
        for option in self.spec.options:
            if option.many:
                values[option.key] = tuple(values[option.key])
        own = {key: value for key, value in values.items() if not key.startswith(_SHARED)}
        if self.spec.tail:
            tail = context.meta.get("bespeak.tail")
            own |= {"tail": tuple(tail or ()), "tail_given": tail is not None}
        return Parsed(self.spec, _merged(context), own)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Set aside what follows ``--`` where a command follows, and attach values that may be left out."""
        head, tail = split_tail(args, (*self.spec.options, *tables.SHARED))
        if self.spec.tail:
            ctx.meta["bespeak.tail"] = tail
        elif tail is not None:
            head = [*head, "--", *tail]
        return super().parse_args(ctx, head)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Show the command that may follow."""
        return [*super().collect_usage_pieces(ctx), *([f"[-- {self.spec.tail}...]"] if self.spec.tail else [])]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the command's own options apart from those that every command has."""
        own = [record for option in self.own if (record := option.get_help_record(ctx))]
        shared = [record for option in self.shared if (record := option.get_help_record(ctx))]
        if own:
            with formatter.section("Options"):
                formatter.write_dl(own)
        with formatter.section("Options of every command"):
            formatter.write_dl([*shared, ("-h, --help", "Show this message.")])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 Click's shape
        """Show the examples."""
        with formatter.section("Examples"):
            for line, does in self.spec.examples:
                formatter.write(f"{'':>{formatter.current_indent}}# {does}\n")
                formatter.write(f"{'':>{formatter.current_indent}}bespeak {line}\n")


class Delegate(click.Command):
    """A program with a command line of its own: everything after its name is its business.

    Args:
        spec: the declaration.
    """

    def __init__(self, spec: Command) -> None:
        self.spec = spec
        super().__init__(spec.name, short_help=spec.summary, help=spec.summary, add_help_option=False)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep every word as it is."""
        ctx.args = list(args)
        return []

    def invoke(self, ctx: click.Context) -> Parsed:
        """Return what was typed."""
        return Parsed(self.spec, _merged(ctx), {"tail": tuple(ctx.args)})


class Lazy(click.Group):
    """A group whose commands are made when they are asked for."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the commands that were perhaps meant, where there is none of that name."""
        name = args[0]
        if self.get_command(ctx, name) is None and not ctx.resilient_parsing and not name.startswith("-"):
            known = self.list_commands(ctx)
            meant = nearest(name, known)
            hint = f"; did you mean {' or '.join(meant)}?" if meant else f"; known: {', '.join(known)}"
            raise click.UsageError(f"no command {safe(name)!r}{hint}", ctx)
        return super().resolve_command(ctx, args)


class Root(Lazy):
    """All commands."""

    def __init__(self) -> None:
        version = click.Option(["--version"], is_flag=True, expose_value=False, is_eager=True, callback=_print_version)
        version.help = "Print the version."
        super().__init__(
            "bespeak",
            params=[*(_parameter(option, _SHARED) for option in tables.SHARED), version],
            help="One book of reservations that people, CI jobs and coding agents share, and that tools obey.",
            context_settings=dict(_SETTINGS),
        )

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 Click's shape
        """Return the names in the order of the table."""
        return tables.names()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 Click's shape
        """Make the command of that name."""
        found = tables.lookup(cmd_name)
        if found is None:
            return None
        if isinstance(found, Group):
            return Sub(found)
        return Delegate(found) if found.delegate else Leaf(found)


class Sub(Lazy):
    """The commands under one word.

    Args:
        spec: the declaration.
    """

    def __init__(self, spec: Group) -> None:
        self.spec = spec
        super().__init__(spec.name, help=spec.summary, short_help=spec.summary, context_settings=dict(_SETTINGS))

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 Click's shape
        """Return the names in the order of the table."""
        return [command.name.rpartition(" ")[2] for command in self.spec.commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 Click's shape
        """Make the command of that name."""
        found = self.spec.command(cmd_name)
        return None if found is None else Leaf(found)


def _merged(context: click.Context) -> dict[str, object]:
    """Return the options that every command has, typed before the command or after it (which wins)."""
    merged = {option.key: option.default for option in tables.SHARED}
    chain = [context]
    while chain[0].parent is not None:
        chain.insert(0, chain[0].parent)
    for level in chain:
        for option in tables.SHARED:
            value = level.params.get(_SHARED + option.key)
            if option.many:
                before = merged[option.key]
                merged[option.key] = (*(before if isinstance(before, tuple) else ()), *(value or ()))
            elif value not in (None, False):
                merged[option.key] = value
    return merged


def _print_version(context: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: ARG001 Click's shape
    if value and not context.resilient_parsing:
        from bespeak import __version__

        click.echo(f"bespeak {__version__}")
        context.exit()
