"""Gives every candidate of a roster a place (考场编排).

A row that names its place gets it. A row that names none keeps the place it had, so that printed
tickets stay true; otherwise it gets the next free place of its room, tickets in ascending order
over places in ascending order, as door lists (门贴) are written.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from exam.day import Place
from exam.roster import Arrangement, CheckedRow, Field, RowFault, rows_by_room

GIVEN_AWAY: Final = "座位已在考试当天由现场负责人安排给其他考生"
NOTHING_KEPT: Final[Mapping[tuple[int, str], int]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Entry:
    """One checked row with its place."""

    row: CheckedRow
    place: Place


def assign_places(
    rows: Iterable[CheckedRow],
    arrangement: Arrangement,
    held: Mapping[tuple[int, str], int],
    kept: Mapping[tuple[int, str], int] = NOTHING_KEPT,
) -> tuple[list[Entry], list[RowFault]]:
    """Every row with its place, and a fault for each row that found its room full or its place given away.

    `held` are the places given earlier, by session and ticket number; `kept` those of them that people
    gave on the day itself: they stay, whatever the file says.
    """
    entries, rest = _kept_entries(rows, arrangement, kept)
    faults: list[RowFault] = []
    for (session_id, room_id), in_room in rows_by_room(rest).items():
        places = sorted(arrangement.places.get(room_id, ()), key=_place_order)
        given_away = {place_id for (session, _), place_id in kept.items() if session == session_id}
        faults += [
            RowFault(row.row_no, Field.PLACE, GIVEN_AWAY)
            for row in in_room
            if row.place is not None and row.place.id in given_away
        ]
        seated = dict(_seat(in_room, [place for place in places if place.id not in given_away], held))
        for row in in_room:
            place = seated.get(row.row_no)
            if place is not None:
                entries.append(Entry(row, place))
            else:
                reason = f"{row.room.label}共{len(places)}个座位（工位），场次“{row.session.code}”已排满"
                faults.append(RowFault(row.row_no, Field.ROOM, reason))
    entries.sort(key=lambda entry: entry.row.row_no)
    faults.sort(key=lambda fault: fault.row_no or 0)
    return entries, faults


def _kept_entries(
    rows: Iterable[CheckedRow], arrangement: Arrangement, kept: Mapping[tuple[int, str], int]
) -> tuple[list[Entry], list[CheckedRow]]:
    """The rows whose place people gave, and the others."""
    by_id = {place.id: place for places in arrangement.places.values() for place in places}
    entries: list[Entry] = []
    rest: list[CheckedRow] = []
    for row in rows:
        place_id = kept.get((row.session.id, row.ticket_no))
        if place_id is None:
            rest.append(row)
        else:
            entries.append(Entry(row, by_id[place_id]))
    return entries, rest


def _seat(
    rows: Sequence[CheckedRow], places: Sequence[Place], held: Mapping[tuple[int, str], int]
) -> Iterator[tuple[int, Place]]:
    free = {place.id: place for place in places}
    waiting: list[CheckedRow] = []
    for row in rows:
        if row.place is None:
            waiting.append(row)
        else:
            free.pop(row.place.id, None)
            yield row.row_no, row.place
    still_waiting: list[CheckedRow] = []
    for row in waiting:
        place = free.pop(held.get((row.session.id, row.ticket_no), 0), None)
        if place is None:
            still_waiting.append(row)
        else:
            yield row.row_no, place
    for row, place in zip(still_waiting, free.values(), strict=False):
        yield row.row_no, place


def _place_order(place: Place) -> tuple[int, str]:
    return (len(place.label), place.label)
