"""The 电子数据清单 on paper (法发〔2016〕22号 第十二、十四条): columns, digests, room for signatures.

The page is laid out in a process of its own (`python -m evidence.delivery_paper`, HTML in, PDF out): layout
takes a second of computing and much memory, which the recorder must not lack.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

from evidence.delivery import CSV_HEAD, moment_words, stretch_words

_ROOT: Final = Path(__file__).parent.parent
_STYLE: Final = """
@page { size: A4 landscape; margin: 12mm; @bottom-right { content: counter(page) " / " counter(pages); } }
body { font: 9pt "Noto Sans CJK SC", sans-serif; line-height: 1.45; }
h1 { font-size: 16pt; text-align: center; margin: 0 0 4mm; }
table { border-collapse: collapse; width: 100%; margin: 2mm 0 4mm; }
th, td { border: .3mm solid #444; padding: 1mm 1.5mm; text-align: left; vertical-align: top; }
th { background: #eee; white-space: nowrap; }
thead { display: table-header-group; }
.digest { font-family: monospace; font-size: 7pt; word-break: break-all; }
.sign td { height: 16mm; width: 33%; }
"""


def paper(delivery: Mapping[str, Any], rows: Sequence[Sequence[str]], fingerprint: str) -> str:
    """The list as a page of HTML."""
    asked = delivery["asked_by"]
    facts = {
        "考点": delivery["site"],
        "范围": stretch_words(delivery["from_us"], delivery["until_us"]),
        "调取单位、人员": f"{asked['organisation']}　{asked['name']}",
        "在场第二人": asked["second_person"] or "无",
        "事由": asked["reason"],
        "制作时间": f"{moment_words(delivery['made_at_us'])}（北京时间）",
        "分卷": f"第{delivery['part']}卷，共{delivery['parts']}卷",
        "保护等级": delivery["protection"],
        "考点公钥指纹": fingerprint,
    }
    body = [
        f"<style>{_STYLE}</style><h1>电子数据清单</h1>",
        _table([], facts.items()),
        _table(CSV_HEAD, rows),
        "<h2>缺口与未交付部分</h2>",
        _table(["摄像机", "情况"], _absences(delivery)),
        "<h2>核对与签名</h2>",
        "<p>校验值的算法为SHA-256。核验方法见包内《怎样核验.txt》；公钥指纹须与包外来源核对。</p>",
        '<table class="sign"><tr><td>提取人（签名、日期）</td><td>见证人（签名、日期）</td>'
        "<td>接收人（签名、日期）</td></tr></table>",
    ]
    return f'<!doctype html><html lang="zh-CN"><meta charset="utf-8">{"".join(body)}</html>'


def print_in_child(page: str) -> bytes:
    """The page as PDF. Raises OSError or subprocess.CalledProcessError when it cannot be laid out."""
    command = [sys.executable, "-m", "evidence.delivery_paper"]
    done = subprocess.run(command, input=page.encode(), capture_output=True, check=True, cwd=_ROOT)
    return done.stdout


def print_page() -> None:
    """Lay out the page on standard input; the PDF goes to standard output."""
    from weasyprint import HTML  # noqa: PLC0415 - only this process pays for it

    sys.stdout.buffer.write(HTML(string=sys.stdin.buffer.read().decode()).write_pdf())


def _absences(delivery: Mapping[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for camera in delivery["cameras"]:
        name = f"{camera['room']} {camera['label']}"
        found += [(name, f"缺口：{gap['words']}") for gap in camera["gaps"]]
        found += [(name, f"无法说明：{hole['words']}") for hole in camera["unaccounted"]]
        lost = [each for each in camera["segments"] if each["state"] != "delivered"]
        found += [(name, f"{each['file']}：{each['words']}") for each in lost]
        found += [(name, f"已隔离、不作为录像：{each}") for each in camera["quarantined"]]
    return found or [("全部", "无缺口，无未交付部分")]


def _table(head: Sequence[str], rows: Any) -> str:
    top = "".join(f"<th>{escape(word)}</th>" for word in head)
    lines = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead>{lines}</table>"


def _cell(text: str) -> str:
    kind = ' class="digest"' if len(text) >= 40 and text.isascii() else ""
    return f"<td{kind}>{escape(text)}</td>"


if __name__ == "__main__":
    print_page()
