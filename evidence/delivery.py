"""What a bag says about itself: delivery.json for programs, bag-info.txt and 电子数据清单.csv for people.

Requested against delivered: every file, gap and unexplained stretch of time is named, with a word for why.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any, Final

from evidence.bag_verifier import Span, unaccounted
from evidence.coverage import coverage
from evidence.export_plan import BagPlan, CameraPlan, ExportWish, FileState, PlannedFile
from evidence.naming import read_name
from evidence.sound import Sound, SoundKind
from evidence.timeline import Interval
from exam.clock import site_time

FORMAT: Final = "kaochang-delivery/1"
CSV_HEAD: Final = (
    "序号",
    "摄像机",
    "类别",
    "文件名",
    "文件格式",
    "开始时间",
    "结束时间",
    "大小（字节）",
    "完整性校验值（SHA-256）",
    "声音",
    "台账序号",
    "交付情况",
)
STATE_WORDS: Final = {
    FileState.DELIVERED: "原样交付",
    FileState.DAMAGED: "文件已损坏，与台账不符，仅供参考",
    FileState.MISSING: "文件缺失，未交付",
    FileState.DISPOSED: "已依规销毁，未交付，见销毁清册",
}
# The camera's codec in brackets, where it is known.
SOUND_WORDS: Final = {
    SoundKind.NONE: "无",
    SoundKind.COPIED: "摄像机原声{codec}",
    SoundKind.DERIVED: "录制时转码，非摄像机原始数据{codec}",
    SoundKind.LEFT_OUT: "未录制{codec}",
}


@dataclass(frozen=True, slots=True)
class DerivedCopy:
    """A file made from the originals, for viewing only."""

    path: str
    camera: str
    how: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Circumstances:
    """When the bag was made, how well the archive is protected, and the words for reasons of absence."""

    made_at_us: int
    protection: str
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Delivered:
    """A plan and what became of each file, by folder and name."""

    wish: ExportWish
    plan: BagPlan
    states: Mapping[str, FileState]
    derived: Sequence[DerivedCopy]

    def state(self, camera: CameraPlan, file: PlannedFile) -> FileState:
        """What became of the file."""
        return self.states[f"{camera.folder}/{file.name}"]


def describe(footage: Connection, done: Delivered, now: Circumstances) -> dict[str, Any]:
    """The content of delivery.json."""
    wish, plan = done.wish, done.plan
    return {
        "format": FORMAT,
        "order": wish.order_id,
        "part": plan.part,
        "parts": plan.parts,
        "site": wish.site,
        "made_at_us": now.made_at_us,
        "protection": now.protection,
        "asked_by": {
            "name": wish.asker.name,
            "organisation": wish.asker.organisation,
            "second_person": wish.asker.second_person,
            "reason": wish.asker.reason,
        },
        "from_us": plan.interval.from_us,
        "until_us": plan.interval.until_us,
        "whole_from_us": wish.interval.from_us,
        "whole_until_us": wish.interval.until_us,
        "cameras": [_camera(footage, done, camera, now) for camera in plan.cameras],
        "derived": [{"file": each.path, "how": each.how} for each in done.derived],
    }


def is_complete(delivery: Mapping[str, Any]) -> bool:
    """Whether everything asked for is delivered as recorded, or a recorded gap."""
    return all(
        not camera["unaccounted"] and all(each["state"] == FileState.DELIVERED for each in camera["segments"])
        for camera in delivery["cameras"]
    )


def canonical_json(delivery: Mapping[str, Any]) -> bytes:
    """delivery.json as it is written."""
    return (json.dumps(delivery, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def bag_lines(delivery: Mapping[str, Any], oxum: str) -> dict[str, str]:
    """bag-info.txt."""
    asked = delivery["asked_by"]
    made = site_time(delivery["made_at_us"])
    interval = stretch_words(delivery["from_us"], delivery["until_us"])
    return {
        "Source-Organization": delivery["site"],
        "Contact-Name": f"{asked['organisation']} {asked['name']}",
        "External-Description": f"考场影像资料 {interval}",
        "Bagging-Date": f"{made:%Y-%m-%d}",
        "Bag-Group-Identifier": f"export-{delivery['order']}",
        "Bag-Count": f"{delivery['part']} of {delivery['parts']}",
        "Payload-Oxum": oxum,
        "Kaochang-Complete": "yes" if is_complete(delivery) else "no",
        "Kaochang-Reason": asked["reason"],
        "Kaochang-Second-Person": asked["second_person"] or "无",
        "Kaochang-Protection": delivery["protection"],
    }


def list_rows(done: Delivered) -> list[list[str]]:
    """The lines of the 电子数据清单: originals, then derived copies."""
    rows = [
        _list_row(done, camera, file, number)
        for number, (camera, file) in enumerate(
            ((camera, file) for camera in done.plan.cameras for file in camera.files), 1
        )
    ]
    for copy in done.derived:
        name = copy.path.rpartition("/")[2]
        number = str(len(rows) + 1)
        facts = [
            copy.camera,
            "视频（派生副本）",
            name,
            "MP4",
            "",
            "",
            str(copy.size_bytes),
            copy.sha256,
            "",
            "",
        ]
        rows.append([number, *facts, copy.how])
    return rows


def list_csv(done: Delivered) -> bytes:
    """The list for spreadsheets; the mark at its start lets them read Chinese."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(CSV_HEAD)
    writer.writerows(list_rows(done))
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def stretch_words(from_us: int, until_us: int) -> str:
    """A stretch of time as people read it, to the millisecond."""
    return f"{moment_words(from_us)} 至 {moment_words(until_us)}（北京时间）"


def moment_words(moment_us: int) -> str:
    """2026-11-22 09:00:00.000"""
    return f"{site_time(moment_us):%Y-%m-%d %H:%M:%S.%f}"[:-3]


def sound_words(sound: Sound) -> str:
    """What the sound of a file is, as people read it."""
    is_named = sound.codec and sound.kind is not SoundKind.NONE
    return SOUND_WORDS[sound.kind].format(codec=f"（{sound.codec}）" if is_named else "")


def _list_row(done: Delivered, camera: CameraPlan, file: PlannedFile, number: int) -> list[str]:
    body = file.body
    return [
        str(number),
        f"{camera.camera.room} {camera.camera.label}",
        "视频（原始）",
        file.name,
        "MP4",
        moment_words(body["started_at_us"]),
        moment_words(body["ended_at_us"]),
        str(body["size_bytes"]),
        body["sha256"],
        sound_words(file.sound),
        str(file.leaf.index),
        STATE_WORDS[done.state(camera, file)],
    ]


def _camera(footage: Connection, done: Delivered, camera: CameraPlan, now: Circumstances) -> dict[str, Any]:
    asked = camera.camera
    files = [(file, done.state(camera, file)) for file in camera.files]
    return {
        "uuid": asked.uuid,
        "room": asked.room,
        "label": asked.label,
        "folder": camera.folder,
        "segments": [
            {
                "file": file.name,
                "state": state.value,
                "words": STATE_WORDS[state],
                "sound": file.sound.kind.value,
                "sound_codec": file.sound.codec,
            }
            for file, state in files
        ],
        "gaps": [_gap(gap.name, gap.body, now) for gap in camera.gaps],
        "unaccounted": _unaccounted(footage, done.plan.interval, camera, now),
        "quarantined": list(camera.quarantined),
    }


def _gap(name: str, body: Mapping[str, Any], now: Circumstances) -> dict[str, Any]:
    until_us, cause = body.get("ended_at_us"), body["cause"]
    shown_us = now.made_at_us if until_us is None else until_us
    still = "（尚未结束）" if until_us is None else ""
    return {
        "proof": name,
        "from_us": body["started_at_us"],
        "until_us": until_us,
        "cause": cause,
        "words": f"{stretch_words(body['started_at_us'], shown_us)}{still}：{now.words.get(cause, cause)}",
    }


def _unaccounted(
    footage: Connection, interval: Interval, camera: CameraPlan, now: Circumstances
) -> list[dict[str, Any]]:
    spans = [_file_span(file) for file in camera.files]
    for gap in camera.gaps:
        until_us = gap.body.get("ended_at_us")
        spans.append(Span(gap.body["started_at_us"], now.made_at_us if until_us is None else until_us))
    holes = unaccounted(interval.from_us, interval.until_us, spans)
    return [_hole(footage, camera.camera.uuid, Interval(*hole), now) for hole in holes]


def _file_span(file: PlannedFile) -> Span:
    run = read_name(file.name).run_uuid
    return Span(file.body["started_at_us"], file.body["ended_at_us"], run, file.body["sequence"])


def _hole(footage: Connection, camera_uuid: str, hole: Interval, now: Circumstances) -> dict[str, Any]:
    parts = coverage(footage, camera_uuid, hole, now.made_at_us)
    why = "、".join(dict.fromkeys(now.words.get(part.kind, part.kind.value) for part in parts))
    return {
        "from_us": hole.from_us,
        "until_us": hole.until_us,
        "kinds": sorted({part.kind.value for part in parts}),
        "words": f"{stretch_words(hole.from_us, hole.until_us)}：{why}",
    }
