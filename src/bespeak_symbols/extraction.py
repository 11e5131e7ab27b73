"""From the bytes of one file to its facts, and to the entry that the cache stores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak_symbols import codec, name_index
from bespeak_symbols.cache import Entry, Key
from bespeak_symbols.model import Facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bespeak_symbols.backend import Backend
    from bespeak_symbols.object_reader import ObjectReader

MOST_BYTES = 2_000_000
"""Larger files are usually data; they are reported as unread."""


@dataclass(frozen=True, slots=True)
class ExtractionTask:
    """One content to read.

    Args:
        key: under which it is kept.
        language: what it is read as.
        loose: the path in the work tree to read it from; empty if git has it.
    """

    key: Key
    language: str
    loose: str = ""


def facts_of(backend: Backend, source: bytes, language: str, suffix: str) -> Facts:
    """Return the facts of a source. If it cannot be read, they say so for line 0.

    Raises:
        GrammarsMissingError: the grammars are not installed.
    """
    if len(source) > MOST_BYTES:
        return Facts(language, unread=((0, f"larger than {MOST_BYTES // 1_000_000} MB"),))
    if b"\0" in source:
        return Facts(language, unread=((0, "holds NUL bytes: no text"),))
    try:
        return backend.extract(language, source, "file" + suffix)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as failed:
        return Facts(language, unread=((0, f"the reader of {language} failed: {type(failed).__name__}"),))


def entry_of(key: Key, facts: Facts) -> Entry:
    """Return the cache entry of a file's facts."""
    return Entry(
        key,
        codec.pack(facts),
        facts.unread,
        sorted(name_index.definitions(facts)),
        sorted(name_index.mentions(facts)),
        sorted(name_index.renames(facts)),
    )


def read_here(
    backend: Backend, reader: ObjectReader, tasks: Sequence[ExtractionTask]
) -> Iterator[tuple[ExtractionTask, Entry | None]]:
    """Yield the cache entry of each content, read in this process."""
    stored = [task for task in tasks if not task.loose]
    for task, (_, content) in zip(stored, reader.many([task.key.blob for task in stored]), strict=True):
        yield task, _read(backend, task, content)
    for task in tasks:
        if task.loose:
            yield task, _read(backend, task, reader.loose(task.loose, task.key.blob))


def _read(backend: Backend, task: ExtractionTask, content: bytes | None) -> Entry | None:
    if content is None:
        return None
    return entry_of(task.key, facts_of(backend, content, task.language, task.key.suffix))
