from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from exam.clock import SECOND_US
from tests.world import CLOCK_US
from web.tls import Certificates, TlsError, ensure_certificates, fingerprint

NAMES = ["192.168.1.10", "localhost", "127.0.0.1"]
DAY_US = 86_400 * SECOND_US


def server(files: Certificates) -> x509.Certificate:
    return x509.load_pem_x509_certificate(files.server.read_bytes())


def names_in(files: Certificates) -> set[str]:
    held = server(files).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in held}


def test_both_are_made_at_first_start_with_keys_for_the_owner_alone(tmp_path: Path) -> None:
    files = ensure_certificates(tmp_path / "keys", NAMES, CLOCK_US)
    ca = x509.load_pem_x509_certificate(files.ca.read_bytes())
    server(files).verify_directly_issued_by(ca)
    assert names_in(files) == set(NAMES)
    assert [path.stat().st_mode & 0o777 for path in (files.ca_key, files.server_key)] == [0o600, 0o600]
    assert server(files).not_valid_after_utc - server(files).not_valid_before_utc <= timedelta(days=397)
    assert len(fingerprint(files.ca).split(":")) == 32


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    files = ensure_certificates(tmp_path, NAMES, CLOCK_US)
    before = (files.ca.read_bytes(), files.server.read_bytes())
    ensure_certificates(tmp_path, NAMES, CLOCK_US + DAY_US)
    assert (files.ca.read_bytes(), files.server.read_bytes()) == before


def test_the_server_certificate_is_renewed_in_time_and_the_ca_is_kept(tmp_path: Path) -> None:
    files = ensure_certificates(tmp_path, NAMES, CLOCK_US)
    before = (files.ca.read_bytes(), files.server.read_bytes())
    ensure_certificates(tmp_path, NAMES, CLOCK_US + 360 * DAY_US)
    assert files.ca.read_bytes() == before[0]
    assert files.server.read_bytes() != before[1]


def test_a_new_address_of_the_machine_gets_a_new_server_certificate(tmp_path: Path) -> None:
    ensure_certificates(tmp_path, NAMES, CLOCK_US)
    files = ensure_certificates(tmp_path, ["10.0.0.5", *NAMES], CLOCK_US)
    assert "10.0.0.5" in names_in(files)


def test_a_lost_server_key_is_replaced(tmp_path: Path) -> None:
    files = ensure_certificates(tmp_path, NAMES, CLOCK_US)
    files.server_key.unlink()
    ensure_certificates(tmp_path, NAMES, CLOCK_US)
    assert files.server_key.exists()


def test_names_in_settings_are_covered_and_foreign_ones_left_out(tmp_path: Path) -> None:
    files = ensure_certificates(tmp_path, ["exam.school.example", "kaochang.local"], CLOCK_US)
    assert names_in(files) == {"exam.school.example", "kaochang.local"}
    ensure_certificates(tmp_path, ["kaochang.local", "203.0.113.9", "other.example"], CLOCK_US + 1)
    assert "other.example" not in names_in(files)


def test_a_public_address_cannot_be_vouched_for(tmp_path: Path) -> None:
    with pytest.raises(TlsError, match=r"may not vouch for 203\.0\.113\.9"):
        ensure_certificates(tmp_path, ["203.0.113.9"], CLOCK_US)


def test_a_foreign_ca_key_is_refused(tmp_path: Path) -> None:
    files = ensure_certificates(tmp_path, NAMES, CLOCK_US)
    foreign = rsa.generate_private_key(65537, 2048)
    files.ca_key.write_bytes(foreign.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    files.server.unlink()
    with pytest.raises(TlsError, match="not one this product made"):
        ensure_certificates(tmp_path, NAMES, CLOCK_US)
