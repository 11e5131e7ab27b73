from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fallback import Plan

_LATE = {"parse": "fallback"}


def __getattr__(name):
    return find(name)


def find(name):
    import importlib

    return getattr(importlib.import_module(_LATE[name]), name)


def steps(plan: "Plan"):
    return plan.steps()
