"""Every name, signature, field and base class of the documented contract."""

from __future__ import annotations

import dataclasses
import inspect
import subprocess
import sys

import pytest

import bespeak.reservations as package
from bespeak.reservations import check, identity, json_backend, null_backend, protocol, registry

RE_EXPORTED = [
    "JsonReservationBackend",
    "MissingReservationError",
    "NullReservationBackend",
    "ReservationBackend",
    "ReservationBackendError",
    "ReservationState",
    "ResolvedIdentity",
    "SupportsUsernameCompletion",
    "build_backend",
    "build_reservation_state",
    "check_reservations",
    "gate",
    "register_reservation_backend",
    "required_resources",
    "resolve_username",
]


@pytest.mark.parametrize("name", RE_EXPORTED)
def test_the_package_re_exports(name):
    assert hasattr(package, name)
    assert name in dir(package)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_thing"):
        package.no_such_thing  # noqa: B018


@pytest.mark.parametrize(
    ("module", "names"),
    [
        (protocol, ["ReservationBackend", "SupportsUsernameCompletion"]),
        (
            check,
            ["ReservationState", "ReservationBackendError", "MissingReservationError", "required_resources",
             "check_reservations", "gate"],
        ),
        (identity, ["ResolvedIdentity", "resolve_username"]),
        (json_backend, ["JsonReservationBackend"]),
        (null_backend, ["NullReservationBackend"]),
        (registry, ["register_reservation_backend", "get_reservation_backend_class"]),
    ],
)  # fmt: skip
def test_each_module_has_its_names(module, names):
    assert [name for name in names if not hasattr(module, name)] == []


def test_one_name_is_one_thing_wherever_it_is_imported_from():
    assert package.ReservationBackendError is check.ReservationBackendError
    assert package.MissingReservationError is check.MissingReservationError
    assert package.ReservationState is check.ReservationState
    assert package.gate is check.gate


def test_signatures():
    def names(function):
        return [(p.name, p.kind.name, p.default) for p in inspect.signature(function).parameters.values()]

    plain, word, none = "POSITIONAL_OR_KEYWORD", "KEYWORD_ONLY", inspect.Parameter.empty
    assert names(package.check_reservations) == [
        ("lab", plain, none),
        ("username", plain, none),
        ("backend", plain, none),
    ]
    assert names(package.gate) == [("ctx", plain, none)]
    assert names(package.required_resources) == [("lab", plain, none)]
    assert names(package.resolve_username) == [("as_user", plain, none)]
    assert names(package.register_reservation_backend) == [("name", plain, none), ("cls", plain, none)]
    assert names(registry.get_reservation_backend_class) == [("name", plain, none)]
    assert names(package.JsonReservationBackend) == [("url", plain, None), ("path", word, none)]
    assert names(package.NullReservationBackend) == []
    assert names(package.build_backend)[:2] == [("settings", plain, none), ("repo_dir", plain, none)]
    assert names(package.build_reservation_state)[:4] == [
        ("repos", plain, none), ("as_user", word, none), ("skip_reservation_check", word, none), ("cwd_fallback", word, none)
    ]  # fmt: skip


def test_the_state_is_the_documented_dataclass():
    fields = [(field.name, field.default) for field in dataclasses.fields(check.ReservationState)]
    assert fields == [("backend", None), ("identity", None), ("skip_check", False), ("backend_factory", None)]


def test_the_identity_has_the_documented_fields():
    found = identity.ResolvedIdentity(username="a", source="$USER")
    assert (found.username, found.source) == ("a", "$USER")
    assert found == identity.ResolvedIdentity("a", "$USER")
    assert repr(found) == "ResolvedIdentity(username='a', source='$USER')"
    with pytest.raises(AttributeError):
        found.username = "b"


def test_the_two_errors_are_exceptions_of_different_kinds():
    for error in (check.ReservationBackendError, check.MissingReservationError):
        assert issubclass(error, Exception)
        assert str(error("text")) == "text"
    assert not issubclass(check.ReservationBackendError, check.MissingReservationError)
    assert not issubclass(check.MissingReservationError, check.ReservationBackendError)
    assert (check.MissingReservationError.exit_code, check.ReservationBackendError.exit_code) == (8, 9)


def test_protocols_are_matched_by_structure():
    class Three:
        def get_reserved_resources(self, username): ...
        def who_reserved(self, resource): ...
        def backend_name(self): ...

    class Lister(Three):
        def list_usernames(self): ...

    class Windows(Three):
        def get_reservation_windows(self, username): ...

    assert isinstance(Three(), protocol.ReservationBackend)
    assert not isinstance(Three(), protocol.SupportsUsernameCompletion)
    assert isinstance(Lister(), protocol.SupportsUsernameCompletion)
    assert isinstance(Windows(), protocol.SupportsReservationWindows)
    assert not isinstance(object(), protocol.ReservationBackend)


def test_importing_the_package_loads_none_of_it():
    code = "import sys, bespeak.reservations; print([m for m in ('dataclasses', 'typing', 'json', 'logging') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
