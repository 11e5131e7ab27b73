"""Programming languages by a file name: nothing is known of them, or (with the extra ``languages``) only names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_SUFFIXES = {
    "Ada": "adb ads",
    "assembly": "asm s",
    "C#": "cs",
    "Clojure": "clj cljs cljc",
    "Crystal": "cr",
    "CUDA": "cu cuh",
    "D": "d",
    "Dart": "dart",
    "Elixir": "ex exs",
    "Elm": "elm",
    "Erlang": "erl hrl",
    "F#": "fs fsx",
    "Fortran": "f f90 f95 f03 for",
    "GraphQL": "graphql gql",
    "Groovy": "groovy gradle",
    "Haskell": "hs",
    "Julia": "jl",
    "Kotlin": "kt kts",
    "Lisp": "lisp el scm rkt",
    "Lua": "lua",
    "Nim": "nim",
    "Objective-C": "m mm",
    "OCaml": "ml mli",
    "Pascal": "pas",
    "Perl": "pl pm",
    "PHP": "php",
    "PowerShell": "ps1 psm1",
    "Protocol Buffers": "proto",
    "R": "r",
    "Ruby": "rb rake gemspec",
    "Scala": "scala sc",
    "shell": "sh bash zsh fish",
    "Solidity": "sol",
    "SQL": "sql",
    "Svelte": "svelte",
    "Swift": "swift",
    "SystemVerilog": "sv svh",
    "Tcl": "tcl",
    "Terraform": "tf",
    "VHDL": "vhd vhdl",
    "Visual Basic": "vb",
    "Vue": "vue",
    "Zig": "zig",
}
_BY_SUFFIX = {suffix: language for language, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}


def unread_language(path: str, language_of: Callable[[str], str | None]) -> str:
    """Return the language of a source file that is not read; empty if it is read, or no source file.

    Args:
        path: of the file.
        language_of: returns the language of a file that is parsed; None for others.
    """
    return "" if language_of(path) else language_of_suffix(path)


def language_of_suffix(path: str) -> str:
    """Return the language of a file by its name alone; empty for those that are resolved, and for texts and data."""
    name = path.rpartition("/")[2]
    return _BY_SUFFIX.get(name.rpartition(".")[2].lower() if "." in name else "", "")
