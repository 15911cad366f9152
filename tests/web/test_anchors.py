"""The page of the anchors: what left the machine, what is missing, and whether paper still agrees."""

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from pypdf import PdfReader

from evidence import ledger
from evidence.anchors import anchors, last_head
from evidence.checkpoints import Checkpoints
from evidence.cosigning import stamped_digest
from evidence.disposal_plans import Decision, add_authority
from evidence.joint_decisions import DecisionKind, decide_jointly, propose_jointly
from evidence.ledger import LeafKind
from evidence.outside_time import Authority, AuthorityKind
from exam.joint_decisions import Step
from tests.disposals import account
from tests.evidence.tsa import Tsa
from tests.web.console import PageClient
from tests.world import CLOCK_US, World
from web.access import Role
from web.services import Services


@pytest.fixture
def signed(world: World, services: Services) -> Iterator[World]:
    """Both ledgers with something in them and a checkpoint each."""
    with ExitStack() as opened:
        for name, database in (("exam", world.exam), ("footage", world.footage)):
            checkpoints = Checkpoints(database, services.settings.keys_folder, name)
            opened.enter_context(closing(checkpoints))
            with database.write() as connection:
                ledger.append(connection, LeafKind.CLOCK_STEP, {"step_us": 1}, CLOCK_US)
            checkpoints.sign(CLOCK_US)
        yield world


def note_of(services: Services, name: str = "exam") -> str:
    head = last_head(services.settings.data_folder, services.settings.keys_folder, name)
    assert head is not None
    return head.note


def kept(world: World, name: str = "exam") -> list[str]:
    with world.exam.read() as connection:
        return [one.kind.value for one in anchors(connection, name)]


def test_before_anything_is_signed_the_page_says_so(site_lead: PageClient) -> None:
    page = site_lead.get("/anchors").text
    assert page.count("还没有签名的检查点") == 2
    printed = site_lead.post("/anchors/sheet")
    assert printed.status_code == 409
    assert "请稍候一分钟再打印" in printed.text
    assert site_lead.get("/anchors/exam/request").status_code == 404
    assert site_lead.get("/anchors/nothing/key.pem").status_code == 404


@pytest.mark.usefixtures("signed")
def test_what_was_never_done_is_said(site_lead: PageClient) -> None:
    page = site_lead.get("/anchors").text
    assert page.count("打印签字：尚未做过") == 2
    assert page.count("共签：尚未做过") == 2


def test_the_sheet_shows_both_ledgers_and_is_a_fact(
    site_lead: PageClient, signed: World, services: Services
) -> None:
    printed = site_lead.post("/anchors/sheet")
    assert printed.mimetype == "application/pdf"
    text = PdfReader(io.BytesIO(printed.data)).pages[0].extract_text()
    assert "考务台账" in text
    assert "影像台账" in text
    origin, size, _root = note_of(services).split("\n")[:3]
    assert origin in "".join(text.split("\n"))
    assert size in text
    assert len(PdfReader(io.BytesIO(printed.data)).pages) == 1
    assert kept(signed) == kept(signed, "footage") == ["paper"]
    assert "共签：尚未做过" in site_lead.get("/anchors").text


@pytest.mark.parametrize("name", ["exam", "footage"])
@pytest.mark.usefixtures("signed")
def test_paper_that_agrees_and_paper_that_does_not(
    site_lead: PageClient, services: Services, name: str
) -> None:
    note = note_of(services, name)
    said = site_lead.post("/anchors/compare", data={"text": note}).text
    assert "一致：台账的校验值仍以纸上的为开头" in said
    assert "run.py check 逐条核对" in said
    origin, size, _root = note.split("\n")[:3]
    rewritten = f"{origin}\n{size}\n{'0' * 64}"
    assert "台账在打印之后被改写" in site_lead.post("/anchors/compare", data={"text": rewritten}).text
    longer = f"{origin}\n{int(size) + 5}\n{'0' * 64}"
    assert "台账比纸上的条目少" in site_lead.post("/anchors/compare", data={"text": longer}).text


@pytest.mark.usefixtures("signed")
def test_foreign_and_unreadable_paper(site_lead: PageClient) -> None:
    foreign = f"kaochang/exam/0000\n1\n{'0' * 64}"
    assert "不是本考点的台账" in site_lead.post("/anchors/compare", data={"text": foreign}).text
    broken = site_lead.post("/anchors/compare", data={"text": "12"})
    assert broken.status_code == 400
    assert "三部分" in broken.text
    assert ">12</textarea>" in broken.text


def test_a_contradicted_anchor_is_shown_in_red(
    site_lead: PageClient, signed: World, services: Services
) -> None:
    site_lead.post("/anchors/sheet")
    with signed.exam.write() as connection:
        connection.execute("drop trigger anchor_never_changes")
        connection.execute(
            "update anchor set note = ? where ledger = 'exam'",
            (note_of(services).replace("\n1\n", "\n9000\n", 1),),
        )
    assert "1 份已离开本机的检查点不一致" in site_lead.get("/anchors").text


def register(world: World, authority: Authority, name: str = "省中心") -> int:
    with world.exam.write() as connection:
        return add_authority(connection, name, authority, Decision(world.site_lead_account_id, "", CLOCK_US))


def cosigner(folder: Path) -> str:
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", "own.pem"], cwd=folder, check=True)
    words = ["openssl", "pkey", "-in", "own.pem", "-pubout"]
    return subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True).stdout


def test_a_cosigners_answer_goes_round_by_files(site_lead: PageClient, signed: World, tmp_path: Path) -> None:
    authority_id = register(signed, Authority(AuthorityKind.COSIGNER, cosigner(tmp_path)))
    assert "下载共签文件" in site_lead.get("/anchors").text
    for name, address in (("request", "exam/request"), ("site.pem", "exam/key.pem"), ("c.py", "cosign.py")):
        (tmp_path / name).write_bytes(site_lead.get(f"/anchors/{address}").data)
    words = ["c.py", "request", "--key", "own.pem", "--site-key", "site.pem", "--state", "state.json"]
    answer = subprocess.run([sys.executable, *words], cwd=tmp_path, check=True, capture_output=True).stdout
    for sent, said in ((b"", "请选择文件"), (b"other\n1\nAAAA\n", "不是对本台账任何检查点的答复")):
        form = {"authority": authority_id, "answer": (io.BytesIO(sent), "a.txt")}
        refused = site_lead.post("/anchors/exam/answer", data=form)
        assert refused.status_code == 400
        assert said in refused.text
    assert kept(signed) == []
    form = {"authority": authority_id, "answer": (io.BytesIO(answer), "a.txt")}
    assert site_lead.post("/anchors/exam/answer", data=form).status_code == 302
    assert kept(signed) == ["cosigned"]
    assert "，省中心" in site_lead.get("/anchors").text


def test_the_answer_of_a_revoked_authority_is_no_longer_taken(
    site_lead: PageClient, signed: World, tmp_path: Path
) -> None:
    authority_id = register(signed, Authority(AuthorityKind.COSIGNER, cosigner(tmp_path)))
    auditor = account(signed, "quality_supervisor")
    with signed.exam.write() as connection:
        asked = Decision(auditor, "密钥外泄", CLOCK_US)
        subject = str(authority_id)
        decision_id = propose_jointly(connection, DecisionKind.REVOKE_AUTHORITY, subject, asked)
        agreed = Decision(signed.site_lead_account_id, "已核实", CLOCK_US)
        decide_jointly(connection, decision_id, Step.CONFIRMED, agreed)
    assert "省中心" not in site_lead.get("/anchors").text
    form = {"authority": authority_id, "answer": (io.BytesIO(b"kaochang/exam\n1\nAAAA\n"), "a.txt")}
    refused = site_lead.post("/anchors/exam/answer", data=form)
    assert refused.status_code == 400
    assert "选择是谁的答复" in refused.text
    assert kept(signed) == []


def test_a_request_from_more_than_there_is_is_refused(site_lead: PageClient, signed: World) -> None:
    refused = site_lead.get("/anchors/exam/request?from=99")
    assert refused.status_code == 400
    assert "不能从第 99 条起证明" in refused.text
    assert kept(signed) == []


def test_a_time_stamp_goes_round_by_files(
    site_lead: PageClient, signed: World, services: Services, tmp_path: Path
) -> None:
    tsa = Tsa(tmp_path / "tsa")
    authority_id = register(signed, Authority(AuthorityKind.TSA, tsa.root_pem))
    asked = site_lead.get("/anchors/footage/question").data
    head = last_head(services.settings.data_folder, services.settings.keys_folder, "footage")
    assert head is not None
    assert stamped_digest(head) in asked
    response = tsa.stamp(stamped_digest(head))
    form = {"authority": authority_id, "answer": (io.BytesIO(response), "r.tsr")}
    assert site_lead.post("/anchors/footage/answer", data=form).status_code == 302
    assert kept(signed, "footage") == ["stamped"]
    head = last_head(services.settings.data_folder, services.settings.keys_folder, "exam")
    assert head is not None
    other = tsa.stamp(stamped_digest(head))
    form = {"authority": authority_id, "answer": (io.BytesIO(other), "r.tsr")}
    assert site_lead.post("/anchors/footage/answer", data=form).status_code == 400


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.PROCTOR])
def test_who_has_nothing_to_do_with_evidence_stays_out(
    as_role: Callable[[Role], PageClient], role: Role
) -> None:
    assert as_role(role).get("/anchors").status_code == 403
