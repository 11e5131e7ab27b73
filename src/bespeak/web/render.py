"""Putting views into HTML: every text is escaped, every name in a template must exist."""

from __future__ import annotations

import json
from functools import lru_cache
from hashlib import blake2b
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from bespeak.web.viewer import Viewer

_STATIC = files("bespeak.web") / "static"
STATIC_TYPES = {
    "bespeak.css": "text/css; charset=utf-8",
    "bespeak.js": "text/javascript; charset=utf-8",
    "timeline.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""The files that pages load, with their types. Nothing else is served from the folder."""


@lru_cache(maxsize=len(STATIC_TYPES))
def static_file(name: str) -> bytes:
    """Return one of the files that pages load."""
    return (_STATIC / name).read_bytes()


@lru_cache(maxsize=len(STATIC_TYPES))
def static_url(name: str) -> str:
    """Return the address of such a file; it changes with the content, so browsers may keep it for ever."""
    return f"/static/{blake2b(static_file(name), digest_size=6).hexdigest()}/{name}"


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Return the templates."""
    made = Environment(
        loader=PackageLoader("bespeak.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals["static_url"] = static_url
    made.filters["compact"] = lambda value: json.dumps(value, separators=(",", ":"))
    return made


def render(template: str, viewer: Viewer, **values: object) -> str:
    """Return a page for a viewer."""
    return environment().get_template(template).render(viewer=viewer, **values)
