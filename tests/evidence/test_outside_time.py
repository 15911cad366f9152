"""Time from outside the machine: for one plan only, by a registered authority only."""

from hashlib import sha256
from pathlib import Path

import pytest

from evidence.outside_time import (
    Authority,
    AuthorityKind,
    OutsideTimeError,
    _stated,
    check_authority,
    cosigner_token,
    proved_time_us,
    time_question,
)
from exam.clock import SECOND_US, SystemClock
from tests.disposals import DUE_US, Cosigner
from tests.evidence.tsa import Tsa, with_words

PLAN, OTHER = sha256(b"plan").digest(), sha256(b"other").digest()
MOMENT = "2032-01-05T01:00:00Z"


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Tsa:
    return Tsa(tmp_path_factory.mktemp("tsa") / "here")


def test_a_cosigners_entry_states_its_moment_over_its_plan() -> None:
    cosigner = Cosigner()
    assert proved_time_us(cosigner.authority, cosigner.token(PLAN, DUE_US), PLAN) == DUE_US


def test_a_cosigners_entry_is_for_nobody_elses_plan_moment_or_key() -> None:
    cosigner = Cosigner()
    token = cosigner.token(PLAN, DUE_US)
    later = token.replace(b"2032", b"2033")
    for authority, word, digest in [
        (cosigner.authority, token, OTHER),
        (cosigner.authority, later, PLAN),
        (Cosigner().authority, token, PLAN),
        (cosigner.authority, b"whenever\n" + token[-64:], PLAN),
        (cosigner.authority, b"", PLAN),
    ]:
        with pytest.raises(OutsideTimeError, match="签名"):
            proved_time_us(authority, word, digest)


def test_a_signature_is_typed_or_pasted_as_base64() -> None:
    cosigner = Cosigner()
    pasted = "\n".join([cosigner.signature(PLAN, MOMENT)[:40], cosigner.signature(PLAN, MOMENT)[40:]])
    assert proved_time_us(cosigner.authority, cosigner_token(f" {MOMENT}\n", pasted), PLAN) == DUE_US
    with pytest.raises(OutsideTimeError, match="Base64"):
        cosigner_token(MOMENT, "not base64!")


def test_a_time_stamp_states_its_moment_over_its_plan(tsa: Tsa) -> None:
    before_us = SystemClock().wall_us()
    authority = Authority(AuthorityKind.TSA, tsa.root_pem)
    stated_us = proved_time_us(authority, tsa.stamp(PLAN), PLAN)
    assert before_us - 2 * SECOND_US <= stated_us <= SystemClock().wall_us() + 2 * SECOND_US


def test_only_what_the_authority_signed_states_the_moment(tsa: Tsa) -> None:
    token, authority = tsa.stamp(PLAN), Authority(AuthorityKind.TSA, tsa.root_pem)
    dressed_up = with_words(token, "\nTime stamp: Jan  5 01:00:00 2032 GMT")
    assert proved_time_us(authority, dressed_up, PLAN) == proved_time_us(authority, token, PLAN)


def test_the_question_can_be_put_to_any_authority(tsa: Tsa) -> None:
    authority = Authority(AuthorityKind.TSA, tsa.root_pem)
    assert proved_time_us(authority, tsa.answer(time_question(PLAN)), PLAN)


def test_a_time_stamp_is_for_no_other_plan_and_from_no_other_authority(tsa: Tsa, tmp_path: Path) -> None:
    token = tsa.stamp(PLAN)
    stranger = Tsa(tmp_path / "stranger")
    for authority, word, digest in [
        (Authority(AuthorityKind.TSA, tsa.root_pem), token, OTHER),
        (Authority(AuthorityKind.TSA, stranger.root_pem), token, PLAN),
        (Authority(AuthorityKind.TSA, tsa.root_pem), token[:-1] + bytes([token[-1] ^ 1]), PLAN),
        (Authority(AuthorityKind.TSA, tsa.root_pem), b"nothing", PLAN),
    ]:
        with pytest.raises(OutsideTimeError, match="时间戳"):
            proved_time_us(authority, word, digest)


def test_a_refusal_of_the_authority_is_no_time(tsa: Tsa) -> None:
    # RFC 3161, 2.4.2: a response that carries a status and no token.
    refused = bytes.fromhex("30053003020102")
    with pytest.raises(OutsideTimeError):
        proved_time_us(Authority(AuthorityKind.TSA, tsa.root_pem), refused, PLAN)


def test_only_certificates_and_ed25519_keys_are_registered(tsa: Tsa) -> None:
    check_authority(Authority(AuthorityKind.TSA, tsa.root_pem))
    check_authority(Cosigner().authority)
    key = (tsa.folder / "root.key").read_text()
    for kind, pem in [
        (AuthorityKind.TSA, "-----BEGIN nothing"),
        (AuthorityKind.COSIGNER, tsa.root_pem),
        (AuthorityKind.COSIGNER, key),
        (AuthorityKind.COSIGNER, ""),
    ]:
        with pytest.raises(OutsideTimeError, match="PEM"):
            check_authority(Authority(kind, pem))


def test_a_public_key_of_another_kind_is_no_cosigner(tsa: Tsa) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from cryptography.x509 import load_pem_x509_certificate

    key = load_pem_x509_certificate(tsa.root_pem.encode()).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with pytest.raises(OutsideTimeError, match="PEM"):
        check_authority(Authority(AuthorityKind.COSIGNER, pem))


def test_words_without_a_moment_state_none() -> None:
    with pytest.raises(OutsideTimeError, match="没有时间"):
        _stated("Version: 1\nPolicy OID: 1.2.3\n")
