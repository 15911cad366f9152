"""How long footage is kept: five years and the rest of that year, longer when any fact says so."""

from datetime import date, datetime

import pytest

from exam.clock import SITE_ZONE, to_us
from exam.retention import (
    AROUND_SESSION_US,
    FLOOR_YEARS,
    Clip,
    Finding,
    Hold,
    KeepReason,
    Reach,
    Term,
    days_of,
    end_of_period,
    is_held,
    judge,
    owners,
    retain_until,
)

HOUR_US = 3_600_000_000
EXAM_US = to_us(datetime(2026, 11, 22, 9, 0, tzinfo=SITE_ZONE))
CLOSED_US = to_us(datetime(2026, 12, 20, 17, 0, tzinfo=SITE_ZONE))
FRONT, BACK = "front", "back"


def new_year(year: int) -> int:
    return to_us(datetime(year, 1, 1, tzinfo=SITE_ZONE))


def reach(start_h: float = 0, hours: float = 1, camera: str = FRONT) -> Reach:
    start_us = EXAM_US + int(start_h * HOUR_US)
    return Reach(camera, start_us, start_us + int(hours * HOUR_US))


def term(batch_id: int = 1, closed_at_us: int | None = CLOSED_US, **changes) -> Term:
    facts = {
        "reaches": (reach(),),
        "days": frozenset({date(2026, 11, 22)}),
        "years": 5,
        **changes,
    }
    return Term(batch_id, closed_at_us=closed_at_us, **facts)


def found(now_us: int, *terms: Term, clip: Clip | None = None, holds: tuple[Hold, ...] = ()) -> Finding:
    return judge(clip or Clip(reach()), terms, holds, now_us)


def test_the_law_is_five_years_and_two_hours_around_a_session_are_the_rule() -> None:
    assert FLOOR_YEARS == 5
    assert AROUND_SESSION_US == 2 * HOUR_US


@pytest.mark.parametrize(
    ("moment", "years", "year"),
    [
        ("2026-11-22T09:00", 5, 2032),
        ("2026-12-31T23:59", 5, 2032),
        ("2027-01-01T00:00", 5, 2033),
        ("2028-02-29T12:00", 5, 2034),
        ("2026-11-22T09:00", 6, 2033),
        ("2026-11-22T09:00", 0, 2032),
        ("2026-11-22T09:00", -40, 2032),
    ],
)
def test_a_period_ends_with_the_year_and_is_never_shorter_than_the_law(
    moment: str, years: int, year: int
) -> None:
    at_us = to_us(datetime.fromisoformat(moment).replace(tzinfo=SITE_ZONE))
    assert end_of_period(at_us, years) == new_year(year)


def test_the_year_is_the_sites_and_not_that_of_greenwich() -> None:
    already_2027_here = to_us(datetime.fromisoformat("2026-12-31T17:00+00:00"))
    assert end_of_period(already_2027_here, 5) == new_year(2033)


def test_stretches_meet_only_on_one_camera_and_only_inside() -> None:
    assert reach().meets(reach(0.5))
    assert reach(0.5).meets(reach())
    assert not reach().meets(reach(1))
    assert not reach(1).meets(reach())
    assert not reach().meets(reach(camera=BACK))


def test_a_stretch_over_midnight_touches_both_days_and_one_until_midnight_only_the_first() -> None:
    assert days_of(reach(14, 2)) == {date(2026, 11, 22), date(2026, 11, 23)}
    assert days_of(reach(14, 1)) == {date(2026, 11, 22)}
    assert days_of(reach(-9, 1)) == {date(2026, 11, 22)}
    a_blink_longer = Reach(FRONT, reach(14, 1).from_us, reach(14, 1).until_us + 1)
    assert days_of(a_blink_longer) == {date(2026, 11, 22), date(2026, 11, 23)}


def test_footage_belongs_to_the_batches_whose_sessions_it_meets_and_to_no_other_of_that_day() -> None:
    here, there = term(1), term(2, reaches=(reach(camera=BACK),))
    assert owners(reach(), [here, there]) == [here]
    assert owners(reach(0.5, 1), [here, there]) == [here]


def test_footage_outside_all_sessions_belongs_to_every_batch_of_its_day() -> None:
    terms = [term(1), term(2, reaches=()), term(3, reaches=(), days=frozenset({date(2026, 11, 23)}))]
    assert owners(reach(5), terms) == terms[:2]
    assert owners(reach(14, 2), terms) == terms
    assert owners(reach(48), terms) == []


def test_the_terms_may_come_one_by_one() -> None:
    assert owners(reach(5), iter([term(1)])) == [term(1)]


def test_the_period_counts_from_the_closing_and_from_the_exam_when_that_is_later() -> None:
    assert retain_until(reach(), [term()]) == new_year(2032)
    assert retain_until(reach(), [term(closed_at_us=CLOSED_US + 30 * 24 * HOUR_US)]) == new_year(2033)
    assert retain_until(reach(), [term(closed_at_us=EXAM_US - 900 * 24 * HOUR_US)]) == new_year(2032)


def test_the_latest_batch_wins_and_an_open_one_keeps_for_ever() -> None:
    late = term(2, CLOSED_US + 400 * 24 * HOUR_US)
    assert retain_until(reach(), [term(), late]) == new_year(2034)
    assert retain_until(reach(), [late, term()]) == new_year(2034)
    assert retain_until(reach(), [term(), term(2, None)]) is None
    assert retain_until(reach(), []) is None


def test_within_the_period_footage_stays_and_at_its_end_it_may_go() -> None:
    before = found(new_year(2032) - 1, term())
    assert before == Finding(new_year(2032), (1,), (KeepReason.WITHIN_PERIOD,))
    assert not before.is_due
    after = found(new_year(2032), term())
    assert after == Finding(new_year(2032), (1,), ())
    assert after.is_due


def test_footage_of_an_open_batch_and_of_no_batch_stays_for_ever() -> None:
    assert found(new_year(2099), term(1, None)) == Finding(None, (1,), (KeepReason.BATCH_OPEN,))
    assert found(new_year(2099)) == Finding(None, (), (KeepReason.NO_BATCH,))


def test_a_legal_hold_outlives_the_period_and_says_so() -> None:
    hold = Hold(7, restricts=False, batch_id=1)
    assert found(new_year(2099), term(), holds=(hold,)).reasons == (KeepReason.LEGAL_HOLD,)
    other = Hold(8, restricts=False, batch_id=2)
    assert found(new_year(2099), term(), holds=(other,)).is_due


def test_a_hold_over_a_stretch_keeps_what_it_touches() -> None:
    hold = Hold(7, restricts=False, batch_id=None, reaches=(reach(camera=BACK), reach(0.9)))
    assert is_held(reach(), (1,), hold)
    assert not is_held(reach(0, 0.5), (1,), hold)
    assert not is_held(reach(), (1,), Hold(7, restricts=False, batch_id=None))


def test_every_reason_is_told_in_one_order() -> None:
    holds = (Hold(1, restricts=True, batch_id=1), Hold(2, restricts=False, batch_id=1))
    clip = Clip(reach(), frozenset({KeepReason.DAMAGED}))
    assert found(CLOSED_US, term(), clip=clip, holds=holds).reasons == (
        KeepReason.WITHIN_PERIOD,
        KeepReason.LEGAL_HOLD,
        KeepReason.RESTRICTED,
        KeepReason.DAMAGED,
    )


def test_batches_are_named_in_order() -> None:
    assert found(new_year(2099), term(2), term(1)).batch_ids == (1, 2)


def test_the_codes_of_reasons_stand_in_rows_and_leaves_and_stay_as_they_are() -> None:
    assert [str(reason) for reason in KeepReason] == [
        "within_period",
        "batch_open",
        "no_batch",
        "legal_hold",
        "restricted",
        "damaged",
        "not_in_ledger",
    ]
