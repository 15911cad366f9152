"""`run.py export`: an export at the command line of a site whose services are not running.

It takes both writers' locks, so a running site is never written beside; there the console's page 导出 is
the way. The person logs in like on the console, and the same rows and ledger leaves are written.
"""

import argparse
import getpass
import sys
from argparse import Namespace
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from sqlite3 import Connection
from typing import Final

from config.settings import Settings
from evidence import accounts
from evidence.checkpoints import Checkpoints, Signing
from evidence.database import DatabaseError, WriterBusyError, WriterDatabase
from evidence.export import ExportTools, MadeBag, carry_out
from evidence.export_orders import (
    GB,
    ExportRequest,
    SiteCamera,
    find_export,
    give_export_order,
    refuse_restricted,
    site_cameras,
)
from evidence.export_plan import Asker, CopyOptions, ExportError
from evidence.proofs import Authority
from evidence.timeline import Interval
from evidence.work_orders import Report, WorkState, write_report
from exam.clock import SITE_ZONE, SystemClock, to_us
from recorder.export_work import export_words, final_report

MAY_EXPORT: Final = frozenset({"supervisor", "site_lead"})


def main(
    words: list[str],
    settings_at: Callable[[Path | None], Settings],
    ask_password: Callable[[str], str] = getpass.getpass,
) -> int:
    """Export what the words name; 0 when all of it is in the bags, 3 when they name parts that are not."""
    asked = _parser().parse_args(words)
    settings = settings_at(asked.settings)
    try:
        made = _export(settings, asked, ask_password)
    except WriterBusyError:
        _say("考点服务正在运行：请在控制台“导出”页面办理。 / The site is running: use the console.")
        return 1
    except (DatabaseError, ExportError, ValueError) as error:
        _say(str(error))
        return 1
    for bag in made:
        sys.stdout.write(f"{bag.path}\n")
    return 0 if all(bag.is_complete for bag in made) else 3


def _export(settings: Settings, asked: Namespace, ask_password: Callable[[str], str]) -> list[MadeBag]:
    clock = SystemClock()
    with (
        closing(WriterDatabase(settings.exam_db, "exam")) as exam,
        closing(WriterDatabase(settings.footage_db, "footage")) as footage,
        closing(Signing(Checkpoints(exam, settings.keys_folder, "exam"), clock)),
        closing(Signing(Checkpoints(footage, settings.keys_folder, "footage"), clock)),
    ):
        with exam.read() as connection:
            account = _account(connection, asked.account, ask_password)
            wanted = _request(connection, asked, account)
        with exam.write() as connection:
            order_id = give_export_order(connection, wanted, clock.wall_us())
        with exam.read() as connection:
            wish = find_export(connection, order_id)
        assert wish is not None
        authority = Authority.open(settings.keys_folder, settings.data_folder, clock)
        outcome = Report(order_id, WorkState.FAILED, words="导出中断", outcome={"bags": []})
        try:
            tools = ExportTools(footage, authority, export_words())
            with exam.read() as connection, footage.read() as index:
                refuse_restricted(connection, index, wish)  # nobody else writes meanwhile
            made = carry_out(tools, wish, _show)
            outcome = final_report(wish, made, authority.fingerprint)
        except ExportError as error:
            outcome = replace(outcome, words=str(error))
            raise
        finally:
            with footage.write() as connection:
                write_report(connection, outcome, clock.wall_us())
    _say(f"公钥指纹 / fingerprint: {authority.fingerprint}")
    return made


def _account(exam: Connection, name: str, ask_password: Callable[[str], str]) -> accounts.Account:
    found = accounts.password_hash_of(exam, name.lower())
    password = ask_password("密码 / password: ")
    if not accounts.is_password(found[1] if found else None, password) or found is None:
        raise ExportError("登录名或密码不正确。")
    account = accounts.load_account(exam, found[0])
    if account is None or not account.roles & MAY_EXPORT:
        raise ExportError("您的账户没有导出录像的权限。")
    return account


def _request(exam: Connection, asked: Namespace, account: accounts.Account) -> ExportRequest:
    cameras = [camera for camera in site_cameras(exam) if _is_asked(camera, asked)]
    if not cameras:
        raise ExportError("没有这个考场或摄像机。")
    interval = Interval(_moment_us(asked.begin), _moment_us(asked.end))
    if interval.until_us <= interval.from_us:
        raise ExportError("结束时间应晚于开始时间。")
    return ExportRequest(
        account_id=account.id,
        room_ids=tuple(sorted({camera.room_id for camera in cameras})),
        camera_uuids=tuple(camera.uuid for camera in cameras),
        interval=interval,
        target=asked.to.absolute(),
        asker=Asker(account.display_name, asked.organisation, asked.second_person, asked.reason),
        options=CopyOptions(
            max_bytes=asked.max_gb * GB if asked.max_gb else None,
            with_play=not asked.no_play,
            burn_in=asked.burn_in,
            read_back=not asked.no_read_back,
        ),
    )


def _is_asked(camera: SiteCamera, asked: Namespace) -> bool:
    return camera.room in asked.room and (not asked.camera or camera.label in asked.camera)


def _moment_us(text: str) -> int:
    try:
        return to_us(datetime.fromisoformat(text).replace(tzinfo=SITE_ZONE))
    except ValueError as error:
        raise ExportError(f"时间写法不对：{text}；请写作 2026-11-22 09:00:00") from error


def _show(done: int, total: int, words: str) -> None:
    sys.stderr.write(f"\r{words} {done * 100 // max(total, 1)} %   ")


def _say(sentence: str) -> None:
    sys.stderr.write(f"\n{sentence}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run.py export", description="export footage as bags that prove themselves (services stopped)"
    )
    parser.add_argument("--room", action="append", required=True, help="label of a room; may be repeated")
    parser.add_argument("--camera", action="append", help="label of a camera; without it all of the room")
    parser.add_argument("--from", dest="begin", required=True, help="'2026-11-22 09:00:00', site time")
    parser.add_argument("--until", dest="end", required=True, help="'2026-11-22 09:12:00', site time")
    parser.add_argument("--to", type=Path, required=True, help="folder, such as a mounted USB disk")
    parser.add_argument("--account", required=True, help="login name of a supervisor or site lead")
    parser.add_argument("--organisation", required=True, help="单位 of the person who takes the footage")
    parser.add_argument("--reason", required=True, help="事由")
    parser.add_argument("--second-person", default="", help="name of the second person present")
    parser.add_argument("--max-gb", type=int, help="split over bags of at most so many GB")
    parser.add_argument("--no-play", action="store_true", help="without the playable copy")
    parser.add_argument("--burn-in", action="store_true", help="with a copy that shows the time")
    parser.add_argument("--no-read-back", action="store_true", help="do not read the medium again: faster")
    parser.add_argument("--settings", type=Path, help="settings file (default: kaochang.toml)")
    return parser
