"""Five hundred attempts to delete footage before its time: nothing is lost, and each attempt is on record.

Every role over HTTP, forged rows, rewritten ledgers, a wrong clock, wrong settings, replayed and forged
papers, a full disk. The footage is two years old; its time ends three years later. `logged` counts rows with
their ledger leaf; for the full disk the lines of the log, all that such a machine can still write; for the
policy file the refusals to load it.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import cycle, islice
from pathlib import Path

import structlog
from structlog.testing import CapturingLogger, CapturingLoggerFactory

from config.retention import RetentionPolicyError, read_retention_policy
from config.settings import Settings
from evidence.database import DatabaseError
from evidence.disposal_permit import DisposalRefusedError
from exam.clock import SITE_ZONE, to_us
from tests.bench.bench_report import progress
from tests.disposals import DUE_US, Archive, Cosigner, account, open_archive, set_clock
from tests.web.console import PageClient, client_for
from tests.world import build_world
from web.access import Role
from web.app import create_app
from web.limits import limiter
from web.services import FootageReader, Services

EARLY_US = to_us(datetime(2029, 3, 1, 9, 0, tzinfo=SITE_ZONE))
SIX_YEARS_US = 6 * 366 * 24 * 3_600_000_000
FILES = 8
# Each attempt over HTTP: method, path, form.
REQUESTS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("POST", "/disposals/", {"batch": 1, "appraisal": "无"}),
    ("POST", "/disposals/1/decide", {"verdict": "approved", "reason": "同意"}),
    ("POST", "/disposals/1/time", {"authority": 1, "moment": "2099-01-01T00:00:00Z", "signature": "AAAA"}),
    ("POST", "/disposals/1/order", {"witness": ["甲", "乙"]}),
    ("POST", "/disposals/99/order", {"witness": ["甲", "乙"]}),
    ("POST", "/disposals/authorities", {"name": "无", "kind": "tsa"}),
    ("DELETE", "/playback/1/segments/1.mp4", {}),
    ("DELETE", "/disposals/1", {}),
    ("DELETE", "/footage", {}),
)


@dataclass
class Tally:
    """What was tried in one way."""

    way: str
    attempts: int = 0
    logged: int = 0
    lost: int = 0
    allowed: list[str] = field(default_factory=list)


@contextmanager
def early_archive() -> Iterator[Archive]:
    """Footage within its period, and a plan that people were talked into."""
    with tempfile.TemporaryDirectory(prefix="soak-early-") as name:
        world = build_world(Path(name) / "world")
        with open_archive(world, FILES) as archive:
            set_clock(world, EARLY_US)
            yield archive
        world.close()


def talked_into(archive: Archive, segment_ids: list[int] | None = None, *, approved: bool = True) -> int:
    """A plan far too early, with the papers that can be had, and an order that no console would give."""
    plan_id = archive.propose(segment_ids)
    if approved:
        archive.approve(plan_id)
        archive.force_time(plan_id, archive.cosigner.token(archive.digest(plan_id), EARLY_US), EARLY_US)
    return archive.force_order(plan_id)


# Each way prepares an archive and returns the order under which disposal is then asked for.


def plainly_too_early(archive: Archive) -> int:
    return talked_into(archive)


def clock_six_years_on(archive: Archive) -> int:
    order_id = talked_into(archive)
    set_clock(archive.world, EARLY_US + SIX_YEARS_US)
    return order_id


def clock_six_years_on_before_the_papers(archive: Archive) -> int:
    set_clock(archive.world, EARLY_US + SIX_YEARS_US)
    return talked_into(archive)


def no_years_in_the_settings(archive: Archive) -> int:
    archive.years = 0
    return talked_into(archive)


def years_below_nothing(archive: Archive) -> int:
    archive.years = -100
    return clock_six_years_on(archive)


def batch_row_edited(archive: Archive) -> int:
    archive.edit("update batch set closed_at_us = 1")
    return talked_into(archive)


def closing_row_edited(archive: Archive) -> int:
    archive.edit("update batch_closing set recorded_at_us = 1, years = 5")
    return talked_into(archive)


def sessions_moved_away(archive: Archive) -> int:
    archive.edit("update session set planned_start_us = 1")
    return talked_into(archive)


def segment_row_edited(archive: Archive) -> int:
    archive.edit("update segment set started_at_us = 1, ended_at_us = 2", exam=False)
    return talked_into(archive)


def segment_leaf_edited(archive: Archive) -> int:
    order_id = talked_into(archive)
    archive.edit("update ledger_leaf set body = body || ' '", exam=False)
    return order_id


def closing_leaf_edited(archive: Archive) -> int:
    order_id = talked_into(archive)
    archive.edit("update ledger_leaf set recorded_at_us = 1 where kind = 'batch_closing'")
    return order_id


def closing_leaf_removed(archive: Archive) -> int:
    order_id = talked_into(archive)
    archive.edit("delete from ledger_leaf where kind = 'batch_closing'")
    return order_id


def nobody_approved(archive: Archive) -> int:
    return talked_into(archive, approved=False)


def approvals_forged_as_rows(archive: Archive) -> int:
    plan_id = archive.propose()
    for account_id in (archive.site_lead, archive.supervisor):
        archive.edit(
            "insert into disposal_approval (plan_id, decision, note, account_id, recorded_at_us)"
            " values (?, 'approved', '同意', ?, 1)",
            plan_id,
            account_id,
        )
    return archive.force_order(plan_id)


def plan_document_edited(archive: Archive) -> int:
    order_id = talked_into(archive)
    archive.edit("update disposal_plan set document = replace(document, '203', '202')")
    return order_id


def token_of_another_plan(archive: Archive) -> int:
    other = archive.propose(archive.segment_ids[:1])
    plan_id = archive.propose()
    archive.approve(plan_id)
    archive.force_time(plan_id, archive.cosigner.token(archive.digest(other), DUE_US), DUE_US)
    set_clock(archive.world, DUE_US)
    return archive.force_order(plan_id)


def token_of_nobody_registered(archive: Archive) -> int:
    plan_id = archive.propose()
    archive.approve(plan_id)
    archive.force_time(plan_id, Cosigner().token(archive.digest(plan_id), DUE_US), DUE_US)
    set_clock(archive.world, DUE_US)
    return archive.force_order(plan_id)


def token_with_an_edited_moment(archive: Archive) -> int:
    plan_id = archive.propose()
    archive.approve(plan_id)
    token = archive.cosigner.token(archive.digest(plan_id), EARLY_US).replace(b"2029", b"2039")
    archive.force_time(plan_id, token, DUE_US)
    set_clock(archive.world, DUE_US)
    return archive.force_order(plan_id)


def token_of_an_approvers_own_key(archive: Archive) -> int:
    archive.registrar = archive.site_lead
    archive.register_cosigner()
    archive.world.clock.step_wall(1)
    plan_id = archive.propose()
    archive.approve(plan_id)
    archive.force_time(plan_id, archive.cosigner.token(archive.digest(plan_id), DUE_US), DUE_US)
    set_clock(archive.world, DUE_US)
    return archive.force_order(plan_id)


def files_that_are_not_in_the_plan(archive: Archive) -> int:
    order_id = talked_into(archive, archive.segment_ids[:1])
    archive.segment_ids.reverse()
    return order_id


def order_for_another_digest(archive: Archive) -> int:
    return archive.force_order(archive.propose(), "ab" * 32)


def order_row_alone(archive: Archive) -> int:
    plan_id = archive.propose()
    archive.sign()
    archive.edit(
        "insert into work_order (kind, subject, reason, ordered_by, ordered_at_us)"
        " values ('disposal', ?, '无', ?, 1)",
        f'{{"plan_id":{plan_id}}}',
        archive.archivist,
    )
    return 1


def order_nobody_gave(archive: Archive) -> int:
    archive.sign()
    return 4711


def checkpoints_removed(archive: Archive) -> int:
    order_id = talked_into(archive)
    (archive.world.folder / "exam_checkpoints.db").rename(archive.world.folder / "gone")
    return order_id


def key_replaced(archive: Archive) -> int:
    order_id = talked_into(archive)
    keys = archive.world.folder / "keys"
    (keys / "ledger_exam.key").write_bytes((keys / "ledger_footage.key").read_bytes())
    return order_id


def batch_opened_by_an_edited_row(archive: Archive) -> int:
    archive.edit("update batch set closed_at_us = null")
    set_clock(archive.world, DUE_US)
    return talked_into(archive)


WAYS: tuple[Callable[[Archive], int], ...] = (
    plainly_too_early,
    clock_six_years_on,
    clock_six_years_on_before_the_papers,
    no_years_in_the_settings,
    years_below_nothing,
    batch_row_edited,
    closing_row_edited,
    sessions_moved_away,
    segment_row_edited,
    segment_leaf_edited,
    closing_leaf_edited,
    closing_leaf_removed,
    nobody_approved,
    approvals_forged_as_rows,
    plan_document_edited,
    token_of_another_plan,
    token_of_nobody_registered,
    token_with_an_edited_moment,
    token_of_an_approvers_own_key,
    files_that_are_not_in_the_plan,
    order_for_another_digest,
    order_row_alone,
    order_nobody_gave,
    checkpoints_removed,
    key_replaced,
    batch_opened_by_an_edited_row,
)


def ask_for_all(archive: Archive, way: str, order_id: int, attempts: int) -> Tally:
    """Ask the primitive for every file, again and again."""
    tally, disposer = Tally(way), archive.disposer()
    for segment_id in islice(cycle(archive.segment_ids), attempts):
        tally.attempts += 1
        try:
            disposer.dispose(order_id, segment_id)
            tally.allowed.append(f"{way}: segment {segment_id}")
        except DisposalRefusedError:
            continue
    tally.logged = min(len(archive.rows("disposal_refusal")), archive.leaves("disposal_refused"))
    tally.lost = FILES - archive.files_left()
    return tally


def try_way(way: Callable[[Archive], int], attempts: int) -> Tally:
    with early_archive() as archive:
        return ask_for_all(archive, way.__name__, way(archive), attempts)


def try_full_disk(attempts: int) -> Tally:
    """The disk takes no row any more: the refusal is logged, and nothing goes to make room."""
    factory = CapturingLoggerFactory()
    structlog.configure(logger_factory=factory, cache_logger_on_first_use=False)
    with early_archive() as archive:
        order_id = talked_into(archive)
        with archive.world.footage.write() as connection:
            connection.execute(
                "create temp trigger full before insert on ledger_leaf"
                " begin select raise(abort, 'database or disk is full'); end"
            )
        tally = ask_for_all(archive, "full_disk", order_id, attempts)
    logger: CapturingLogger = factory.logger
    tally.logged = sum("disposal_refused" in str(call) for call in logger.calls)
    quiet()
    return tally


def try_http(attempts: int) -> Tally:
    """Every role asks for everything it can reach, early: refused, and written down with the account."""
    tally = Tally("http_every_role")
    with early_archive() as archive:
        archive.propose()
        archive.world.clock.step_wall(1)
        world = archive.world
        services = Services(
            Settings(data_folder=world.folder),
            world.clock,
            world.exam,
            FootageReader(world.footage.path),
            world.vault,
        )
        app = create_app(services)
        app.testing, app.test_client_class = True, PageClient
        limiter.reset()
        clients = {role: client_for(app, world, account(world, role.value)) for role in Role}
        asked = ((role, request) for request in REQUESTS for role in Role)
        for role, (method, path, form) in islice(cycle(list(asked)), attempts):
            tally.attempts += 1
            sent = clients[role].open(path, method=method, data=form)
            if sent.status_code < 400:
                tally.attempts -= 1  # an early approval is nobody's deletion; it is not counted
        tally.logged = len(archive.rows("disposal_attempt", exam=True))
        tally.lost = FILES - archive.files_left()
        services.bus.close()
        services.footage.close()
    return tally


def try_policy_file(attempts: int) -> Tally:
    """A settings file with fewer years does not even load; the refusal names the key."""
    tally = Tally("policy_file")
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "retention.toml"
        for years in range(4, 4 - attempts, -1):
            path.write_text(f'[footage]\nname="a"\nyears={years}\nlegal_basis="b"\nnote="c"\n')
            tally.attempts += 1
            try:
                read_retention_policy(path)
                tally.allowed.append(f"policy of {years} years")
            except RetentionPolicyError:
                tally.logged += 1
    return tally


def quiet() -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory(), cache_logger_on_first_use=False)


def run(each: int, ways: Sequence[Callable[[Archive], int]], http: int) -> list[Tally]:
    quiet()
    tallies = []
    for way in ways:
        try:
            tallies.append(try_way(way, each))
        except DatabaseError as error:
            raise RuntimeError(way.__name__) from error
        progress(f"{way.__name__}: {tallies[-1].attempts} attempts, {tallies[-1].lost} lost")
    return [*tallies, try_full_disk(each), try_http(http), try_policy_file(each)]


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="run.py soak early_deletion", description=__doc__)
    parser.add_argument("--each", type=int, default=16, help="attempts in each way")
    parser.add_argument("--http", type=int, default=108, help="attempts over HTTP")
    parser.add_argument("--ways", type=int, default=len(WAYS), help="how many of the ways")
    chosen = parser.parse_args(words)
    tallies = run(chosen.each, WAYS[: chosen.ways], chosen.http)
    print(f"{'way':40}{'attempts':>9}{'logged':>8}{'lost':>6}")
    for tally in tallies:
        print(f"{tally.way:40}{tally.attempts:>9}{tally.logged:>8}{tally.lost:>6}")
    attempts, logged = sum(each.attempts for each in tallies), sum(each.logged for each in tallies)
    lost, allowed = sum(each.lost for each in tallies), [one for each in tallies for one in each.allowed]
    print(f"{attempts} attempts, {logged} logged, {lost} files lost, {len(allowed)} allowed")
    print("\n".join(allowed))
    is_held = not lost and not allowed and all(each.logged >= each.attempts for each in tallies)
    return 0 if is_held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
