"""What became of a register's files, read from footage.db: for the page and the printed register."""

from dataclasses import dataclass
from sqlite3 import Connection


@dataclass(frozen=True, slots=True)
class Outcome:
    """Files of a plan that are gone, begun or refused. Refusals are counted by their reasons."""

    done: dict[int, int]
    begun: frozenset[int]
    refusals: tuple[tuple[str, int], ...]

    @property
    def first_us(self) -> int | None:
        """When the first file was gone."""
        return min(self.done.values(), default=None)

    @property
    def last_us(self) -> int | None:
        """When the last file was gone."""
        return max(self.done.values(), default=None)


def plan_outcome(footage: Connection, plan_id: int, order_ids: list[int]) -> Outcome:
    """How far carrying out the plan came."""
    rows = footage.execute(
        "select segment_id, done_at_us from disposal where plan_id = ?", (plan_id,)
    ).fetchall()
    counts: dict[str, int] = {}
    for order_id in order_ids:
        for row in footage.execute(
            "select reasons, count(*) as times from disposal_refusal where order_id = ? group by reasons",
            (order_id,),
        ):
            counts[row["reasons"]] = counts.get(row["reasons"], 0) + row["times"]
    return Outcome(
        {row["segment_id"]: row["done_at_us"] for row in rows if row["done_at_us"] is not None},
        frozenset(row["segment_id"] for row in rows if row["done_at_us"] is None),
        tuple(sorted(counts.items())),
    )


def camera_labels(exam: Connection) -> dict[str, str]:
    """Room and view of every camera there ever was, by its uuid."""
    rows = exam.execute(
        "select camera.uuid, room.label || ' ' || camera.label as words from camera"
        " join room on room.id = camera.room_id"
    )
    return {row["uuid"]: row["words"] for row in rows}
