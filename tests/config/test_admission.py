"""The site's admission policy: ours, the site's own over it, and every fault named at once."""

from pathlib import Path

import pytest

from config.admission import FILE, AdmissionPolicyError, load_admission_policy, read_admission_policy
from exam.admission_facts import Conditional, IdentityRule, OtherSite, Policy, ReEntry, Step
from exam.clock import MINUTE_US, SECOND_US
from exam.day import SessionKind


def own(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "admission.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_comes_with_the_product_is_what_the_rule_takes_for_granted() -> None:
    policy = load_admission_policy()
    assert policy == Policy(notice_version="2026-1")
    assert policy.late_entry_us == {}


def test_a_site_says_only_what_it_does_otherwise(tmp_path: Path) -> None:
    path = own(
        tmp_path,
        """
tries = 5
steps = ["photo", "notice"]
re_entry = "site_lead"
[late_entry]
theory = "15 min"
practical = "ask"
[without_document]
rule = "deadline"
within = "4 h"
[kiosk]
clock_skew = "2 s"
[[other_sites]]
name = "青山第二考点"
ticket_form = "9927[0-9]{8}"
""",
    )
    policy = read_admission_policy(path)
    assert (policy.tries, policy.repeat_us) == (5, 60 * SECOND_US)
    assert policy.steps == {Step.PHOTO, Step.NOTICE}
    assert policy.re_entry is ReEntry.SITE_LEAD
    assert policy.late_entry_us == {SessionKind.THEORY: 15 * MINUTE_US, SessionKind.PRACTICAL: None}
    assert policy.without_document == Conditional(IdentityRule.DEADLINE, 240 * MINUTE_US)
    assert (policy.clock_skew_us, policy.free_bytes) == (2 * SECOND_US, 200 * 1024 * 1024)
    assert policy.other_sites == (OtherSite("青山第二考点", "9927[0-9]{8}"),)


def test_every_fault_of_the_shape_is_named_at_once(tmp_path: Path) -> None:
    path = own(tmp_path, 'tries = 0\nrepeat = "soon"\nsurprise = 1\n[late_entry]\ntheory = "later"\n')
    with pytest.raises(AdmissionPolicyError, match="4 fault") as error:
        read_admission_policy(path)
    for key in ("tries", "repeat", "surprise", "late_entry.theory"):
        assert key in str(error.value)


def test_every_fault_of_the_meaning_is_named_at_once(tmp_path: Path) -> None:
    path = own(
        tmp_path,
        """
[late_entry]
theory = "-5 min"
[without_document]
rule = "deadline"
[in_doubt]
rule = "refuse"
within = "1 h"
[[other_sites]]
name = "x"
ticket_form = "["
""",
    )
    with pytest.raises(AdmissionPolicyError, match="4 fault") as error:
        read_admission_policy(path)
    for words in (
        "late_entry.theory: nobody is late before the start",
        "without_document.within: belongs to the rule 'deadline'",
        "in_doubt.within",
        "other_sites 1: ticket_form is no regular expression",
    ):
        assert words in str(error.value)


def test_a_kind_of_session_left_out_of_the_products_file_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = FILE.read_text(encoding="utf-8").replace('review = "procedure"', "")
    monkeypatch.setattr("config.admission.FILE", own(tmp_path, text))
    with pytest.raises(AdmissionPolicyError, match=r"late_entry\.review: is missing"):
        read_admission_policy(None)


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AdmissionPolicyError, match=r"absent\.toml: cannot be read"):
        read_admission_policy(tmp_path / "absent.toml")
    with pytest.raises(AdmissionPolicyError, match="cannot be read"):
        read_admission_policy(own(tmp_path, "tries = "))
