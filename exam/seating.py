"""Gives every candidate of a roster a place (考场编排).

A row that names its place gets it. A row that names none keeps the place it had, so that printed
tickets stay true; otherwise it gets the next free place of its room, tickets in ascending order
over places in ascending order, as door lists (门贴) are written.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from exam.day import Place
from exam.roster import Arrangement, CheckedRow, Field, RowFault, rows_by_room


@dataclass(frozen=True, slots=True)
class Entry:
    """One checked row with its place."""

    row: CheckedRow
    place: Place


def assign_places(
    rows: Iterable[CheckedRow], arrangement: Arrangement, held: Mapping[tuple[int, str], int]
) -> tuple[list[Entry], list[RowFault]]:
    """Every row with its place, and a fault for each row that found its room full.

    `held` are the places given earlier, by session and ticket number.
    """
    entries: list[Entry] = []
    faults: list[RowFault] = []
    for (_, room_id), in_room in rows_by_room(rows).items():
        places = sorted(arrangement.places.get(room_id, ()), key=_place_order)
        seated = dict(_seat(in_room, places, held))
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
