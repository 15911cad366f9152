"""Durable appends to a ledger beside plain durable inserts, and proofs in a ledger of two million leaves."""

import argparse
import random
import resource
import sqlite3
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from evidence.database import WriterDatabase
from evidence.ledger import Leaf, LeafKind, append, canonical, prove_consistency, prove_inclusion, tree_head
from evidence.merkle import Frontier, Inclusion, hash_leaf, is_included
from tests.bench.bench_report import Row, print_report, progress

NOW_US = 1_795_309_200_000_000
CHUNK = 20_000


def body(number: int) -> dict[str, int | str]:
    return {"segment_id": number, "path": f"footage/20261122/{number:064x}.mp4", "sha256": f"{number:064x}"}


def appends_per_s(folder: Path, count: int) -> float:
    """Each in a transaction of its own, durable on return."""
    database = WriterDatabase(folder / "footage.db", "footage")
    started = perf_counter()
    for number in range(count):
        with database.write() as connection:
            append(connection, LeafKind.SEGMENT, body(number), NOW_US)
    seconds = perf_counter() - started
    database.close()
    return count / seconds


def inserts_per_s(folder: Path, count: int) -> float:
    """The baseline: the same text into a table without a ledger, as durable."""
    connection = sqlite3.connect(folder / "plain.db", isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.execute("create table fact (id integer primary key, body text not null, at_us integer)")
    started = perf_counter()
    for number in range(count):
        connection.execute("begin immediate")
        connection.execute("insert into fact (body, at_us) values (?, ?)", (canonical(body(number)), NOW_US))
        connection.execute("commit")
    seconds = perf_counter() - started
    connection.close()
    return count / seconds


def fill(database: WriterDatabase, leaves: int) -> None:
    """As many leaves as `append` would make one by one, in large transactions."""
    edge = Frontier()
    while edge.size < leaves:
        rows, nodes = [], []
        for number in range(edge.size, min(edge.size + CHUNK, leaves)):
            leaf = Leaf(number, LeafKind.SEGMENT, canonical(body(number)), NOW_US)
            digest = hash_leaf(leaf.entry())
            rows.append((leaf.index, leaf.kind, leaf.body, leaf.recorded_at_us, digest))
            nodes.extend((node.level, node.position, node.hash) for node in edge.add(digest))
        with database.write() as connection:
            connection.executemany("insert into ledger_leaf values (?, ?, ?, ?, ?)", rows)
            connection.executemany("insert into ledger_node values (?, ?, ?)", nodes)
        if edge.size % (10 * CHUNK) == 0:
            progress(f"ledger of {edge.size} leaves")


def p95(figures: list[float]) -> float:
    return sorted(figures)[int(len(figures) * 0.95)]


def proof_rows(folder: Path, leaves: int, proofs: int) -> list[Row]:
    database = WriterDatabase(folder / "large.db", "footage")
    fill(database, leaves)
    draw = random.Random(7)
    inclusion: list[float] = []
    consistency: list[float] = []
    with database.read() as connection:
        head = tree_head(connection)
        for _ in range(proofs):
            index = draw.randrange(leaves)
            stored = connection.execute("select leaf_hash from ledger_leaf where id = ?", (index,)).fetchone()
            started = perf_counter()
            path = prove_inclusion(connection, index, leaves)
            between = perf_counter()
            prove_consistency(connection, index + 1, leaves)
            consistency.append((perf_counter() - between) * 1000)
            inclusion.append((between - started) * 1000)
            claim = Inclusion(stored[0], index, path)
            assert is_included(claim, head)
    database.close()
    size = (folder / "large.db").stat().st_size
    return [
        Row("proof_ms_at_2m", round(p95(inclusion), 3), "ms", proofs),
        Row("consistency_ms_at_2m", round(p95(consistency), 3), "ms", proofs),
        Row("bytes_per_leaf", round(size / leaves), "bytes", leaves),
    ]


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench ledger", description=__doc__)
    parser.add_argument("--leaves", type=int, default=2_000_000)
    parser.add_argument("--appends", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args(argv)
    pairs: list[tuple[float, float]] = []
    for number in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as ours, tempfile.TemporaryDirectory() as plain:
            pair = appends_per_s(Path(ours), arguments.appends), inserts_per_s(Path(plain), arguments.appends)
        pairs.append(pair)
        progress(f"round {number + 1}: {pair[0]:.0f} appends/s, {pair[1]:.0f} plain inserts/s")
    with tempfile.TemporaryDirectory() as name:
        rows = proof_rows(Path(name), arguments.leaves, 500)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    appends = Row(
        "appends_per_s",
        round(median(ours for ours, _ in pairs)),
        "1/s",
        arguments.appends * arguments.rounds,
        round(median(plain for _, plain in pairs)),
        "plain durable insert",
        round(median(ours / plain for ours, plain in pairs), 2),
    )
    print_report("ledger", [appends, *rows, Row("peak_memory", round(memory), "MiB", 1)])
    return 0
