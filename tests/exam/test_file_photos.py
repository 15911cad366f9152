"""Registration photos: whose a file is, every fault by its file, and what an import changes."""

import pytest

from exam.file_photos import SHOWN_LINES, Enrolled, PhotoChanges, PhotoFile, PhotoReport, check_photos

ONE, TWO = Enrolled(1, "202611220001"), Enrolled(2, "202611220002", "bb" * 32)


def photo(name: str, digest: str = "aa", fault: str = "") -> PhotoFile:
    return PhotoFile(name, digest * 32, "image/jpeg", fault)


@pytest.mark.parametrize(
    ("name", "ticket_no"),
    [
        ("202611220001.jpg", "202611220001"),
        ("一班/ ２０２６11220001 .JPG", "202611220001"),
        ("a12-7.png", "A12-7"),
        ("张三.jpg", ""),
        (".jpg", ""),
    ],
)
def test_a_photo_is_his_whose_ticket_number_names_the_file(name: str, ticket_no: str) -> None:
    assert photo(name).ticket_no == ticket_no


def test_every_fault_is_named_by_its_file_and_nothing_changes() -> None:
    files = [
        photo("202611220001.jpg"),
        photo("再来/202611220001.png", "cc"),
        photo("张三.jpg", "dd"),
        photo("202611229999.jpg", "ee"),
        photo("202611220002.jpg", "aa", fault="照片已损坏，无法显示"),
    ]
    changes = check_photos(files, [ONE, TWO])
    assert [(one.name, one.reason) for one in changes.faults] == [
        ("张三.jpg", "文件名应为准考证号，如 202611220001.jpg"),
        ("202611229999.jpg", "本批次的花名册中没有准考证号 202611229999"),
        ("202611220002.jpg", "照片已损坏，无法显示"),
        ("再来/202611220001.png", "与“202611220001.jpg”是同一个准考证号"),
        ("202611220002.jpg", "与“202611220001.jpg”的照片完全相同"),
    ]
    assert changes.files == {}
    assert [one.reason for one in check_photos([], [ONE]).faults] == ["没有找到照片（.jpg、.jpeg 或 .png）"]


def test_what_is_new_replaced_unchanged_and_still_missing() -> None:
    three = Enrolled(3, "202611220003")
    same = check_photos([photo("202611220002.jpg", "bb")], [ONE, TWO])
    assert (same.files, same.unchanged, same.without) == ({}, 1, ("202611220001",))
    changes = check_photos([photo("202611220001.jpg"), photo("202611220002.jpg", "cc")], [ONE, TWO, three])
    assert (set(changes.added), set(changes.replaced), changes.without) == ({1}, {2}, ("202611220003",))


def report(changes: PhotoChanges, *, is_dry_run: bool = False, ignored: int = 0) -> PhotoReport:
    return PhotoReport("照片.zip", "B2026-1", is_dry_run, 2, changes, ignored)


def test_the_report_says_what_changed_or_what_is_wrong() -> None:
    taken = report(check_photos([photo("202611220001.jpg")], [ONE, Enrolled(3, "202611220003")]))
    assert taken.to_text().splitlines() == [
        "花名册照片 照片.zip（批次 B2026-1）：读取 2 个文件",
        "已导入：新增 1，更换 0，不变 0",
        "还没有照片的考生 1 名：",
        "  202611220003",
    ]
    assert not taken.is_unchanged
    tried = report(check_photos([photo("202611220002.jpg", "bb")], [TWO]), is_dry_run=True, ignored=1)
    assert tried.is_unchanged
    assert tried.to_text().splitlines()[1:] == [
        "未使用的文件：1 个",
        "试运行，未作任何修改；若导入将新增 0，更换 0，不变 1",
    ]
    refused = report(check_photos([], [ONE]))
    assert (refused.is_refused, refused.is_unchanged) == (True, False)
    assert refused.to_text().endswith("  照片：没有找到照片（.jpg、.jpeg 或 .png）")


def test_a_long_report_says_how_much_more_there_is() -> None:
    many = [photo(f"甲{number}.jpg", f"{number:02x}") for number in range(SHOWN_LINES + 5)]
    assert report(check_photos(many, [ONE])).to_text().endswith("  …… 另有 5 处")
