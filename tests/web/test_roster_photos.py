"""Registration photos on the console: taken in as checked, shown to staff, each look on record."""

import io
import re
import zipfile

import pytest
from flask import Flask

from tests.evidence.check_ins import Desk
from tests.web.console import HTML, PageClient
from tests.web.doubted import face, lay_doubts
from tests.world import World
from web import roster_photos


def packed(photos: dict[str, bytes]) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        for name, content in photos.items():
            archive.writestr(name, content)
    return kept.getvalue()


def send(
    client: PageClient, path: str, content: bytes, digest: str = "", name: str = "照片.zip"
) -> tuple[int, str]:
    fields = {"batch": "B2026-1", "file": (io.BytesIO(content), name), "digest": digest}
    answer = client.post(f"/roster/photos/{path}", data=fields, content_type="multipart/form-data")
    return answer.status_code, answer.text


def take_in(client: PageClient, content: bytes) -> str:
    _, page = send(client, "check", content)
    found = re.search(r'data-digest="([0-9a-f]{64})"', page)
    assert found is not None, page
    code, page = send(client, "import", content, found[1])
    assert code == 200, page
    return page


def test_photos_are_taken_in_as_they_were_checked(
    site_lead: PageClient, proctor: PageClient, world: World, desk: Desk
) -> None:
    content = packed({f"{world.on_time.ticket_no}.jpg": face(1)})
    code, page = send(site_lead, "check", content)
    assert (code, "检查无误，尚未导入" in page, desk.rows("select 1 from file_photo")) == (200, True, [])
    assert "还没有照片的考生 3 名" in page
    assert send(site_lead, "import", content, "0" * 64)[0] == 409
    assert "新增 1" in take_in(site_lead, content)
    assert "无需修改" in send(site_lead, "check", content)[1]
    [row] = desk.rows("select candidate_id, account_id from file_photo")
    assert tuple(row) == (world.on_time.id, world.site_lead_account_id)
    assert send(proctor, "check", content)[0] == 403


def test_what_is_no_archive_or_has_faults_is_refused(site_lead: PageClient, world: World) -> None:
    assert send(site_lead, "check", b"", name="照片.rar")[0] == 400
    faulty = packed({"张三.jpg": face(1), f"{world.late.ticket_no}.jpg": b"no picture"})
    code, page = send(site_lead, "check", faulty)
    assert (code, "有 2 处错误" in page, "张三.jpg" in page) == (422, True, True)


def test_an_archive_may_be_larger_than_other_requests(
    app: Flask, site_lead: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "MAX_CONTENT_LENGTH", 1000)
    assert send(site_lead, "check", packed({"张三.jpg": face(1)}))[0] == 422
    monkeypatch.setattr(roster_photos, "LARGEST_ARCHIVE_BYTES", 1000)
    assert send(site_lead, "check", packed({"张三.jpg": face(1)}))[0] == 413


def test_staff_compare_and_every_look_is_on_record(
    site_lead: PageClient, proctor: PageClient, world: World, desk: Desk
) -> None:
    lay_doubts(world)
    card = f"/check-in/candidates/{world.session_id}/{world.on_time.id}"
    assert "花名册没有该考生的照片" in proctor.get(card, headers=HTML).text
    assert "花名册没有照片" in proctor.get("/doubts/1", headers=HTML).text
    take_in(site_lead, packed({f"{world.on_time.ticket_no}.jpg": face(7)}))
    page = proctor.get(card, headers=HTML).text
    assert "比对照片" in page
    [(address, _)] = re.findall(r'src="(/check-in/pictures/[0-9a-f]{64})" alt="(花名册照片)"', page)
    case = proctor.get("/doubts/1", headers=HTML).text
    assert address in case
    assert "和花名册照片" in case
    assert proctor.get(address).data == face(7)
    looks = desk.rows("select account_id from check_in_picture_view")
    assert [row["account_id"] for row in looks] == [world.proctor_account_id]
