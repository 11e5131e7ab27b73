"""Backends and labs of the tests; they record what they are asked."""

from __future__ import annotations

from typing import Any


class Recorder:
    """A backend over a dict of resource -> holders, without any optional capability."""

    def __init__(self, holders: dict[str, list[str]] | None = None, **options: Any) -> None:
        self.holders = holders or {}
        self.options = options
        self.asked: list[tuple[str, str]] = []

    def get_reserved_resources(self, username: str) -> set[str]:
        self.asked.append(("held", username))
        return {resource for resource, names in self.holders.items() if username in names}

    def who_reserved(self, resource: str) -> list[str]:
        self.asked.append(("who", resource))
        return list(self.holders.get(resource, []))

    def backend_name(self) -> str:
        return "recorder"


class Host:
    def __init__(self, *resources: str) -> None:
        self.resources = set(resources)


class DuckLab:
    """A lab as foreign code has it: only the attributes that the contract names."""

    def __init__(self, name: str, resources: set[str], hosts: Any = ()) -> None:
        self.name = name
        self.resources = resources
        self.hosts = hosts


class FakeRepo:
    """A repository as otto's code has it."""

    def __init__(self, sut_dir: Any, settings: Any) -> None:
        self.sut_dir = sut_dir
        self.reservation_settings = settings


class Ctx:
    """Anything with ``meta``."""

    def __init__(self, **meta: Any) -> None:
        self.meta = meta
