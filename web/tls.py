"""The site's own certificate authority, and the certificate this console shows on the network.

An isolated exam network has no public authority. The CA is made once, at first start; tablets
install it from the trust page. It can vouch for private addresses and this site's names only, so
a tablet that trusts it is not exposed anywhere else.
"""

import ipaddress
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from exam.clock import from_us

CA_LIFE: Final = timedelta(days=3650)
SERVER_LIFE: Final = timedelta(days=397)  # what browsers accept at most, and a bit
RENEWED_BEFORE: Final = timedelta(days=45)
BACKDATED: Final = timedelta(hours=24)  # tablets whose clock is a little behind
NETWORKS: Final = (
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
)
SUFFIXES: Final = ("localhost", "local", "lan", "internal", "home.arpa")


class TlsError(RuntimeError):
    """HTTPS cannot be served; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where the files lie. The two keys can be read by their owner alone."""

    folder: Path

    @property
    def ca(self) -> Path:
        return self.folder / "ca.crt"

    @property
    def ca_key(self) -> Path:
        return self.folder / "ca.key"

    @property
    def server(self) -> Path:
        return self.folder / "server.crt"

    @property
    def server_key(self) -> Path:
        return self.folder / "server.key"


def ensure_certificates(folder: Path, names: Sequence[str], now_us: int) -> Certificates:
    """Make the CA if there is none, and the server's certificate if it is missing, old or lacks a name.

    The first name is the one in the settings: raises TlsError when the CA may not vouch for it. Other
    names the CA may not vouch for are left out.
    """
    files, now = Certificates(folder), from_us(now_us)
    folder.mkdir(parents=True, exist_ok=True)
    if not (files.ca.exists() and files.ca_key.exists()):
        _make_ca(files, names, now)
    ca = x509.load_pem_x509_certificate(files.ca.read_bytes())
    known = [name for name in names if _may_vouch(ca, name)]
    if names[0] not in known:
        raise TlsError(
            f"the site CA {files.ca} may not vouch for {names[0]}: use a private address or a name below"
            " .local, or remove ca.crt and ca.key and let every tablet trust the new CA"
        )
    if not _is_good(files, ca, known, now):
        _make_server(files, ca, known, now)
    return files


def fingerprint(certificate: Path) -> str:
    """SHA-256 of the certificate, in the form tablets show it: 'AB:CD:...'."""
    digest = x509.load_pem_x509_certificate(certificate.read_bytes()).fingerprint(hashes.SHA256())
    return digest.hex(":").upper()


def _make_ca(files: Certificates, names: Sequence[str], now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Kaochang"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Kaochang site CA {os.urandom(4).hex()}"),
        ]
    )
    builder = (
        _builder(name, name, key.public_key(), now, CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(is_ca=True), critical=True)
        .add_extension(x509.NameConstraints(_permitted(names), None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    _write_secret(files.ca_key, _pem(key))
    _write(files.ca, builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), 0o644)


def _make_server(files: Certificates, ca: x509.Certificate, names: Sequence[str], now: datetime) -> None:
    ca_key = serialization.load_pem_private_key(files.ca_key.read_bytes(), None)
    if not isinstance(ca_key, ec.EllipticCurvePrivateKey):
        raise TlsError(f"the site CA key {files.ca_key} is not one this product made")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    builder = (
        _builder(subject, ca.subject, key.public_key(), now, SERVER_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(is_ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(_alternatives(names)), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
    )
    _write_secret(files.server_key, _pem(key))
    _write(
        files.server, builder.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), 0o644
    )


def _is_good(files: Certificates, ca: x509.Certificate, names: Sequence[str], now: datetime) -> bool:
    if not (files.server.exists() and files.server_key.exists()):
        return False
    server = x509.load_pem_x509_certificate(files.server.read_bytes())
    key = serialization.load_pem_private_key(files.server_key.read_bytes(), None)
    held = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return (
        server.issuer == ca.subject
        and key.public_key() == server.public_key()
        and server.not_valid_before_utc <= now < server.not_valid_after_utc - RENEWED_BEFORE
        and set(_alternatives(names)) <= set(held)
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now - BACKDATED + life)
    )


def _usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        encipher_only=False,
        decipher_only=False,
    )


def _permitted(names: Iterable[str]) -> list[x509.GeneralName]:
    own = [name for name in names if _address(name) is None and not name.endswith(SUFFIXES)]
    return [
        *(x509.IPAddress(ipaddress.ip_network(network)) for network in NETWORKS),
        *(x509.DNSName(suffix) for suffix in (*SUFFIXES, *own)),
    ]


def _may_vouch(ca: x509.Certificate, name: str) -> bool:
    permitted = ca.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    address = _address(name)
    for tree in permitted:
        if isinstance(tree, x509.IPAddress) and address is not None:
            network = ipaddress.ip_network(str(tree.value))
            if address in network:
                return True
        if isinstance(tree, x509.DNSName) and address is None and f".{name}".endswith(f".{tree.value}"):
            return True
    return False


def _alternatives(names: Iterable[str]) -> list[x509.GeneralName]:
    return [
        x509.DNSName(name) if (address := _address(name)) is None else x509.IPAddress(address)
        for name in names
    ]


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_secret(path: Path, content: bytes) -> None:
    _write(path, content, 0o600)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all, and durable: a power cut at first start must not leave half a CA."""
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        os.fchmod(descriptor, mode)
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fresh.replace(path)
