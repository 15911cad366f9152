import csv
import io
import re
from hashlib import sha256

import pytest

from evidence.ticket_forms import Sample
from tests.web.console import PageClient
from tests.world import World, invented_number
from web.roster_page import SAMPLE_WORDS

HEADINGS = ["姓名", "证件类型", "证件号码", "准考证号", "场次", "考场", "座位号"]


def roster(*rows: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([HEADINGS, *rows])
    return text.getvalue().encode("utf-8-sig")


def row(name: str = "钱多多", order: int = 77, seat: str = "9") -> list[str]:
    return [name, "居民身份证", invented_number(order), f"20261122{order:04d}", "T1", "第1考场", seat]


def everybody(world: World) -> list[list[str]]:
    """The four people already seated, so that the file removes nobody."""
    people = [world.on_time, world.late, world.wrong_ticket, world.other_room]
    rooms = {world.room_1: "第1考场", world.room_2: "第2考场"}
    return [
        [
            one.name,
            "居民身份证",
            one.id_number,
            one.ticket_no,
            "T1",
            rooms[one.room_id],
            one.place_label,
        ]
        for one in people
    ]


def send(
    client: PageClient, path: str, content: bytes, name: str = "花名册.csv", digest: str = ""
) -> tuple[int, str]:
    fields = {"batch": "B2026-1", "file": (io.BytesIO(content), name), "digest": digest}
    answer = client.post(path, data=fields, content_type="multipart/form-data")
    return answer.status_code, answer.text


def names(world: World) -> set[str]:
    with world.exam.read() as connection:
        return {row["name"] for row in connection.execute("select name from candidate")}


def test_a_check_reports_and_changes_nothing(site_lead: PageClient, world: World) -> None:
    code, page = send(site_lead, "/roster/check", roster(*everybody(world), row()))
    assert code == 200, page
    assert "检查无误，尚未导入" in page
    assert "新增 1" in page
    assert "钱多多" not in names(world)


def test_what_was_checked_is_imported(site_lead: PageClient, world: World) -> None:
    content = roster(*everybody(world), row())
    _, page = send(site_lead, "/roster/check", content)
    found = re.search(r'data-digest="([0-9a-f]{64})"', page)
    assert found is not None
    code, page = send(site_lead, "/roster/import", content, digest=found[1])
    assert code == 200
    assert "已导入" in page
    assert "钱多多" in names(world)
    code, page = send(site_lead, "/roster/check", content)
    assert "文件与现有名单一致" in page


def test_a_file_that_changed_since_the_check_is_refused(site_lead: PageClient, world: World) -> None:
    digest = sha256(b"another file").hexdigest()
    code, page = send(site_lead, "/roster/import", roster(*everybody(world), row()), digest=digest)
    assert code == 409
    assert "请重新检查" in page
    assert "钱多多" not in names(world)


def test_faults_are_listed_by_row_and_column_without_numbers(site_lead: PageClient, world: World) -> None:
    faulty = row()
    faulty[2] = faulty[2][:-1] + ("1" if faulty[2][-1] != "1" else "2")
    code, page = send(site_lead, "/roster/check", roster(*everybody(world), faulty))
    assert code == 422
    assert "未作任何修改" in page
    assert "第6行“证件号码”" in page
    assert faulty[2] not in page


def test_removals_are_shown_before_they_happen(site_lead: PageClient, world: World) -> None:
    _, page = send(site_lead, "/roster/check", roster(*everybody(world)[1:]))
    assert "删除 1" in page


def test_only_spreadsheets_are_taken(site_lead: PageClient) -> None:
    assert send(site_lead, "/roster/check", b"x", "list.xls")[0] == 400
    code, page = send(site_lead, "/roster/check", b"", "")
    assert code == 400
    assert "请选择花名册文件" in page


def test_the_file_is_not_kept(site_lead: PageClient, world: World) -> None:
    before = set(world.folder.rglob("*"))
    send(site_lead, "/roster/check", roster(row()))
    assert {path for path in world.folder.rglob("*") if path not in before} == set()


def test_the_page_offers_open_batches(site_lead: PageClient, world: World) -> None:
    assert "2026年第1批次（B2026-1）" in site_lead.get("/roster").text
    with world.exam.write() as connection:
        connection.execute("update batch set closed_at_us = 1")
    assert "还没有未归档的批次" in site_lead.get("/roster").text


def learned(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update batch set ticket_form = '202611[0-9]{6}'")


def test_a_form_is_confirmed_after_a_printed_ticket_was_compared(site_lead: PageClient, world: World) -> None:
    assert "准考证号格式" not in site_lead.get("/roster").text
    learned(world)
    page = site_lead.get("/roster").text
    assert "未确认" in page
    assert "共12位：以202611开头，后接6位数字" in page
    form = {"batch": "B2026-1", "sample": world.on_time.ticket_no}
    compared = site_lead.post("/roster/forms", data=form)
    assert compared.status_code == 200
    assert "格式相符，花名册中有这个准考证号" in compared.text
    assert "确认 2026年第1批次 的格式" in compared.text
    assert site_lead.post("/roster/forms", data={**form, "confirm": "1"}).status_code == 303
    page = site_lead.get("/roster").text
    assert "已确认" in page
    assert "李强 于 2026年11月22日 08:50:00 核对" in page


@pytest.mark.parametrize(
    ("sample", "words"),
    [("202611229999", "花名册中没有这个准考证号"), ("2026", "格式不符"), (" ", "没有读到号码")],
)
def test_a_ticket_that_does_not_fit_confirms_nothing(
    site_lead: PageClient, world: World, sample: str, words: str
) -> None:
    learned(world)
    form = {"batch": "B2026-1", "sample": sample, "confirm": "1"}
    answer = site_lead.post("/roster/forms", data=form)
    assert (answer.status_code, words in answer.text) == (422, True)
    with world.exam.read() as connection:
        assert connection.execute("select count(*) from ticket_form_confirmation").fetchone()[0] == 0


def test_every_sample_has_words() -> None:
    assert set(SAMPLE_WORDS) == set(Sample)
