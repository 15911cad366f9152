"""`run.py export`: an export at the command line, beside running services as well as without them.

Nothing is ever written beside a running service. While the console runs the order goes to it through its
local socket, and while the recorder runs it makes the bags and this command watches; what does not run is
replaced by the command, under the writer's lock. The person logs in like on the console, and the same rows
and ledger leaves are written.
"""

import argparse
import getpass
import sys
from argparse import Namespace
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from config.settings import Settings
from evidence.checkpoints import Checkpoints, Signing
from evidence.database import DatabaseError, ReaderDatabase, WriterBusyError, WriterDatabase
from evidence.export import ExportTools, carry_out
from evidence.export_orders import find_export, refuse_restricted
from evidence.export_plan import ExportError
from evidence.export_pleas import Plea, order_export
from evidence.local_socket import NobodyAnswersError, ask
from evidence.proofs import Authority
from evidence.work_orders import Report, WorkState, report, write_report
from exam.clock import SECOND_US, SystemClock
from recorder.export_work import export_words, final_report

CLOCK: Final = SystemClock()
ASK_EVERY_US: Final = SECOND_US // 2
# So often an order is asked after before the person is told that nobody has taken it up.
PATIENCE: Final = 20
WAITING_WORDS: Final = (
    "录像服务还没有开始导出，请确认它正在运行。可以按 Ctrl-C 离开，导出会照常进行，进度见控制台“导出”页面。"
)
LEFT_WORDS: Final = (
    "已离开；导出照常进行，进度和结果见控制台“导出”页面。 / The export goes on without this command."
)


def main(
    words: list[str],
    settings_at: Callable[[Path | None], Settings],
    ask_password: Callable[[str], str] = getpass.getpass,
    pause: Callable[[int], object] = CLOCK.sleep_us,
) -> int:
    """Export what the words name; 0 when all of it is in the bags, 3 when they name parts that are not."""
    asked = _parser().parse_args(words)
    settings = settings_at(asked.settings)
    try:
        made = _export(settings, _plea(asked, ask_password("密码 / password: ")), pause)
    except (DatabaseError, ExportError, ValueError) as error:
        _say(str(error))
        return 1
    outcome = made.outcome or {}
    _say(f"公钥指纹 / fingerprint: {outcome['fingerprint']}")
    for name in outcome["bags"]:
        sys.stdout.write(f"{Path(outcome['target']) / name}\n")
    return 0 if outcome["is_complete"] else 3


def _export(settings: Settings, plea: Plea, pause: Callable[[int], object]) -> Report:
    try:
        exam = WriterDatabase(settings.exam_db, "exam")
    except WriterBusyError:
        return _watched(settings, _asked_of_console(settings, plea), pause)
    with closing(exam), closing(Signing(Checkpoints(exam, settings.keys_folder, "exam"), CLOCK)):
        try:
            footage = WriterDatabase(settings.footage_db, "footage")
        except WriterBusyError:
            _require_known_folder(settings, plea)
            order_id = order_export(exam, plea, CLOCK.wall_us())
        else:
            with (
                closing(footage),
                closing(Signing(Checkpoints(footage, settings.keys_folder, "footage"), CLOCK)),
            ):
                return _carried_out(settings, exam, footage, plea)
    return _watched(settings, order_id, pause)


def _asked_of_console(settings: Settings, plea: Plea) -> int:
    """The id of the order that the running console has written."""
    _require_known_folder(settings, plea)
    try:
        answer = ask(settings.data_folder, plea.packed())
    except NobodyAnswersError as error:
        raise ExportError(
            "控制台正在运行，但没有回应。请用运行考点服务的同一用户执行，或在控制台“导出”页面办理。"
            f" / The console does not answer: {error}"
        ) from error
    if "fault" in answer:
        raise ExportError(str(answer["fault"]))
    return int(answer["order"])


def _require_known_folder(settings: Settings, plea: Plea) -> None:
    """The recorder writes to the folders of the settings alone, whoever asks."""
    folders = settings.export_folders
    if Path(plea.target) not in folders:
        known = "、".join(str(folder) for folder in folders)
        raise ExportError(
            f"考点服务正在运行，只能导出到设置中的文件夹：{known}。要导出到别处，请先停止考点服务。"
        )


def _watched(settings: Settings, order_id: int, pause: Callable[[int], object]) -> Report:
    """Look on while the recorder makes the bags. Raises ExportError when it cannot, or the person leaves."""
    waited = 0
    with closing(ReaderDatabase(settings.footage_db)) as footage:
        try:
            while not (made := _reported(footage, order_id)).is_final:
                waited += made.state is WorkState.WAITING
                _tell(made, waited)
                pause(ASK_EVERY_US)
        except KeyboardInterrupt:
            raise ExportError(LEFT_WORDS) from None
    if made.state is WorkState.FAILED:
        raise ExportError(made.words)
    return made


def _tell(made: Report, waited: int) -> None:
    if made.state is WorkState.RUNNING:
        _show(made.done_units, made.total_units, made.words)
    elif waited == PATIENCE:
        _say(WAITING_WORDS)


def _reported(footage: ReaderDatabase, order_id: int) -> Report:
    with footage.read() as connection:
        return report(connection, order_id)


def _carried_out(settings: Settings, exam: WriterDatabase, footage: WriterDatabase, plea: Plea) -> Report:
    order_id = order_export(exam, plea, CLOCK.wall_us())
    with exam.read() as connection:
        wish = find_export(connection, order_id)
    assert wish is not None
    authority = Authority.open(settings.keys_folder, settings.data_folder, CLOCK)
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
            write_report(connection, outcome, CLOCK.wall_us())
    return outcome


def _plea(asked: Namespace, password: str) -> Plea:
    return Plea(
        account=asked.account,
        password=password,
        rooms=asked.room,
        cameras=asked.camera or [],
        begin=asked.begin,
        end=asked.end,
        target=str(asked.to.absolute()),
        organisation=asked.organisation,
        reason=asked.reason,
        second_person=asked.second_person,
        max_gb=asked.max_gb,
        with_play=not asked.no_play,
        burn_in=asked.burn_in,
        read_back=not asked.no_read_back,
    )


def _show(done: int, total: int, words: str) -> None:
    sys.stderr.write(f"\r{words} {done * 100 // max(total, 1)} %   ")


def _say(sentence: str) -> None:
    sys.stderr.write(f"\n{sentence}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run.py export",
        description="export footage as bags that prove themselves; services may run or be stopped",
    )
    parser.add_argument("--room", action="append", required=True, help="label of a room; may be repeated")
    parser.add_argument("--camera", action="append", help="label of a camera; without it all of the room")
    parser.add_argument("--from", dest="begin", required=True, help="'2026-11-22 09:00:00', site time")
    parser.add_argument("--until", dest="end", required=True, help="'2026-11-22 09:12:00', site time")
    parser.add_argument(
        "--to", type=Path, required=True, help="folder; one of the settings' while the services run"
    )
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
