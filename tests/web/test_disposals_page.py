"""Disposal over the console: each hand has its part, and whoever reaches further is refused on record."""

import io
import threading
from collections.abc import Callable, Iterator
from hashlib import sha256

import pytest
from flask import Flask
from pypdf import PdfReader

from evidence.disposal_permit import DisposalRefusal
from exam.disposal_approval import ApprovalFault
from exam.retention import KeepReason
from tests.disposals import account
from tests.evidence.tsa import Tsa
from tests.web.archive import Desk, open_desk
from tests.web.console import HTML, PageClient, client_for
from tests.world import World
from web.access import Role
from web.retention_words import refusal_words

PROPOSERS = {Role.ARCHIVIST}


@pytest.fixture
def desk(app: Flask, world: World) -> Iterator[Desk]:
    with open_desk(app, world) as opened:
        yield opened


def carry_out(desk: Desk) -> None:
    archive = desk.archive
    archive.sign()
    (row,) = archive.rows("work_order", exam=True)
    archive.disposer().carry_out(row["id"], archive.segment_ids, threading.Event())


def test_the_whole_way_from_proposal_to_the_signed_register(desk: Desk) -> None:
    plan_id = desk.propose()
    page = desk.archivist.get(f"/disposals/{plan_id}").text
    assert "销毁-2032-001" in page
    assert "待批准" in page
    desk.approve(plan_id)
    assert desk.cosign(plan_id).status_code == 303
    assert desk.order(plan_id).status_code == 303
    carry_out(desk)
    page = desk.site_lead.get(f"/disposals/{plan_id}").text
    assert "3 / 3" in page
    assert "来源由dudao于2032年1月5日" in page, (
        "approvers see whose word about time it is, and who registered it"
    )
    assert "已销毁" in page
    assert "已销毁" in desk.site_lead.get("/disposals/").text
    sent = desk.archivist.get(f"/disposals/{plan_id}/register.pdf")
    words = "".join(page.extract_text() for page in PdfReader(io.BytesIO(sent.data)).pages)
    for word in (
        "考场录像销毁清册",
        "销毁-2032-001",
        "钱进",
        "孙立",
        "李强",
        "fuhe",
        "dangan",
        "市档案馆",
        "来源由dudao于",
    ):
        assert word in words


def test_every_refusal_has_words() -> None:
    codes = [*DisposalRefusal, *ApprovalFault, *KeepReason]
    assert {code for code in codes if refusal_words(code) == code} == set()


def test_the_list_is_the_text_whose_digest_was_approved(desk: Desk) -> None:
    plan_id = desk.propose()
    text = desk.site_lead.get(f"/disposals/{plan_id}/list.txt").data
    assert sha256(text).digest() == desk.archive.digest(plan_id)
    assert desk.archive.digest(plan_id).hex() in desk.site_lead.get(f"/disposals/{plan_id}").text


def test_a_long_list_is_not_printed_but_named_by_its_digest(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.disposals_page.MOST_LINES", 2)
    plan_id = desk.propose()
    sent = desk.archivist.get(f"/disposals/{plan_id}/register.pdf")
    words = "".join(page.extract_text() for page in PdfReader(io.BytesIO(sent.data)).pages)
    assert "清单共3行" in words


def test_only_an_archivist_proposes_and_every_other_try_is_on_record(
    desk: Desk, app: Flask, world: World
) -> None:
    facts = {"batch": desk.archive.world.batch_id, "appraisal": "无"}
    clients = {role: client_for(app, world, account(world, role.value)) for role in Role}
    answers = {role: client.post("/disposals/", data=facts).status_code for role, client in clients.items()}
    assert answers == {role: 303 if role in PROPOSERS else 403 for role in Role}
    attempts = desk.archive.rows("disposal_attempt", exam=True)
    assert [(row["endpoint"], row["answer"]) for row in attempts] == [("disposals.propose", 403)] * (
        len(Role) - len(PROPOSERS)
    )
    assert desk.archive.leaves("disposal_refused", exam=True) == len(attempts)


def test_an_archivist_without_a_badge_is_told_so(desk: Desk, as_role: Callable[[Role], PageClient]) -> None:
    facts = {"batch": desk.archive.world.batch_id, "appraisal": "无"}
    refused = as_role(Role.ARCHIVIST).post("/disposals/", data=facts)
    assert refused.status_code == 409
    assert "账户须有证卡号" in refused.text


def test_an_administrator_sees_and_does_nothing_here(desk: Desk, administrator: PageClient) -> None:
    plan_id = desk.propose()
    for path in ("/disposals/", f"/disposals/{plan_id}", "/retention/", "/holds/", "/retention/due"):
        assert administrator.get(path).status_code == 403
    for path in ("decide", "time", "order"):
        assert administrator.post(f"/disposals/{plan_id}/{path}").status_code == 403
    assert len(desk.archive.rows("disposal_attempt", exam=True)) == 3


def test_a_delete_sent_anywhere_is_refused_and_on_record(desk: Desk, anonymous: PageClient) -> None:
    assert desk.site_lead.delete("/playback/1/segments/1.mp4").status_code == 405
    assert anonymous.delete("/disposals/1").status_code == 405
    assert [row["endpoint"] for row in desk.archive.rows("disposal_attempt", exam=True)] == ["none"]


def test_nobody_approves_twice_and_the_refusal_says_so(desk: Desk) -> None:
    plan_id = desk.propose()
    desk.approve(plan_id)
    again = desk.site_lead.post(
        f"/disposals/{plan_id}/decide", data={"verdict": "approved", "reason": "同意"}, headers=HTML
    )
    assert again.status_code == 409
    assert "须为不同的人" in again.text
    assert len(desk.archive.rows("disposal_attempt", exam=True)) == 1


def test_nothing_is_ordered_without_approvals_and_time(desk: Desk) -> None:
    plan_id = desk.propose()
    assert desk.order(plan_id).status_code == 409
    desk.approve(plan_id)
    assert desk.order(plan_id).status_code == 409
    assert desk.archive.rows("work_order", exam=True) == []


def test_time_that_is_too_early_or_not_over_this_plan_is_refused(desk: Desk) -> None:
    plan_id = desk.propose()
    assert desk.cosign(plan_id, "2031-12-31T15:59:59Z").status_code == 409
    wrong = desk.archive.cosigner.signature(b"x" * 32, "2032-01-05T01:00:00Z")
    facts = {"authority": 1, "moment": "2032-01-05T01:00:00Z", "signature": wrong}
    assert desk.archivist.post(f"/disposals/{plan_id}/time", data=facts).status_code == 409
    assert desk.archivist.post(f"/disposals/{plan_id}/time", data={}).status_code == 409


def test_a_time_stamp_of_now_is_checked_and_refused_as_too_early(desk: Desk, tmp_path) -> None:
    tsa = Tsa(tmp_path / "tsa")
    facts = {"name": "时间戳服务", "kind": "tsa", "pem": (io.BytesIO(tsa.root_pem.encode()), "root.pem")}
    assert desk.site_lead.post("/disposals/authorities", data=facts).status_code == 303
    plan_id = desk.propose()
    question = desk.archivist.get(f"/disposals/{plan_id}/question.tsq").data
    token = {"authority": 2, "token": (io.BytesIO(tsa.answer(question)), "answer.tsr")}
    refused = desk.archivist.post(f"/disposals/{plan_id}/time", data=token)
    assert refused.status_code == 409
    assert "早于" in refused.text


def test_what_the_cosigner_signs_can_be_fetched(desk: Desk) -> None:
    plan_id = desk.propose()
    text = desk.archivist.get(f"/disposals/{plan_id}/cosign.txt?moment=2032-01-05T01:00:00Z").text
    assert text == f"kaochang disposal\n{desk.archive.digest(plan_id).hex()}\n2032-01-05T01:00:00Z\n"


def test_forms_that_are_not_filled_in_are_refused(desk: Desk) -> None:
    plan_id = desk.propose()
    assert desk.archivist.post("/disposals/", data={}).status_code == 409
    assert desk.site_lead.post(f"/disposals/{plan_id}/decide", data={"verdict": "maybe"}).status_code == 409
    assert desk.site_lead.post("/disposals/authorities", data={"name": "无"}).status_code == 409
    broken = {"name": "无", "kind": "cosigner", "pem": (io.BytesIO(b"nothing"), "key.pem")}
    assert desk.site_lead.post("/disposals/authorities", data=broken).status_code == 409
    assert desk.site_lead.get("/disposals/99").status_code == 404


def test_what_is_not_due_is_not_proposed(desk: Desk) -> None:
    desk.archive.world.clock.step_wall(-30 * 24 * 3_600_000_000)
    sent = desk.archivist.post("/disposals/", data={"batch": desk.archive.world.batch_id, "appraisal": "无"})
    assert sent.status_code == 409
    assert "没有已到期" in sent.text


def test_refused_files_show_on_the_page_with_their_reason(desk: Desk) -> None:
    plan_id = desk.propose()
    desk.approve(plan_id)
    desk.cosign(plan_id)
    desk.order(plan_id)
    desk.archive.file(desk.archive.segment_ids[0]).write_bytes(b"damaged")
    carry_out(desk)
    page = desk.archivist.get(f"/disposals/{plan_id}").text
    assert "文件内容与登记的校验值不符" in page
    assert "2 / 3" in page
    assert "有文件未销毁" in desk.archivist.get("/disposals/").text


def test_without_any_recorder_there_is_nothing_to_dispose_of(
    site_lead: PageClient, as_role: Callable[[Role], PageClient]
) -> None:
    assert "还没有销毁清册" in site_lead.get("/disposals/").text
    sent = as_role(Role.ARCHIVIST).post("/disposals/", data={"batch": 1, "appraisal": "无"})
    assert sent.status_code == 409
