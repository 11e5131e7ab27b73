"""A certificate of one's own for a first try: clients have to be told to trust it."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import socket
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bespeak.base.display import short_repr
from bespeak.base.errors import UnavailableError
from bespeak.base.fileio import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable

_DAYS = 90
_LEAST_DAYS_LEFT = 7
_LOCAL = ("localhost", "127.0.0.1", "::1")


def kept(folder: str, names: Iterable[str]) -> tuple[str, str]:
    """Return the files of a certificate for ``names`` and its key; made, and made anew before it ends.

    Raises:
        UnavailableError: they cannot be written.
    """
    wanted = sorted({*names, *_LOCAL, socket.gethostname()} - {""})
    certificate, key = os.path.join(folder, "self-signed.crt"), os.path.join(folder, "self-signed.key")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if not _is_good(certificate, key, wanted):
            _make(certificate, key, wanted)
    except OSError as error:
        raise UnavailableError(f"--tls-self: {short_repr(folder)}: {error.strerror}") from error
    return certificate, key


def fingerprint(certificate: str) -> str:
    """Return the SHA-256 of a certificate, as browsers show it."""
    with open(certificate, "rb") as file:
        found = x509.load_pem_x509_certificate(file.read())
    return ":".join(f"{byte:02X}" for byte in found.fingerprint(hashes.SHA256()))


def _is_good(certificate: str, key: str, names: list[str]) -> bool:
    if not (os.path.exists(certificate) and os.path.exists(key)):
        return False
    try:
        with open(certificate, "rb") as file:
            found = x509.load_pem_x509_certificate(file.read())
    except ValueError:
        return False
    left = found.not_valid_after_utc - dt.datetime.now(dt.UTC)
    said = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return left.days >= _LEAST_DAYS_LEFT and sorted(str(one.value) for one in said) == names


def _make(certificate: str, key: str, names: list[str]) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bespeak, a certificate for a first try")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )
    secret = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_atomically(key, secret, 0o600)
    write_atomically(certificate, made.public_bytes(serialization.Encoding.PEM), 0o644)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
