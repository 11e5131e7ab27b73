"""Texts as the languages of pictures want them."""

from __future__ import annotations


def dot_text(text: str) -> str:
    """Return a text for between the quotation marks of Graphviz."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def mermaid_text(text: str) -> str:
    """Return a text for between the quotation marks of Mermaid."""
    escaped = text.replace("#", "#35;").replace('"', "#quot;")
    return escaped.replace("<", "#lt;").replace(">", "#gt;").replace("`", "#96;")
