"""Bags over a ledger that the site wrote anew: other leaves at their places, all proofs and signatures good.

Only who holds the key and writes a ledger of his own can make them. What a verifier then holds against him is
the form of what he wrote, and what his own leaves say.
"""

import base64
from collections.abc import Callable
from pathlib import Path

from evidence.merkle import ReadNode, hash_leaf, hash_node, inclusion_path, root_of
from tests.evidence.bags import Archive
from tests.evidence.forged_bags import checkpoint_text, sign_checkpoint

# The leaves of a bag by their place below proof/, without ending: where each stands in the tree, its entry.
Leaves = dict[str, tuple[int, bytes]]


def relog(archive: Archive, bag: Path, change: Callable[[Leaves], object], size: int | None = None) -> None:
    """Change leaves, then make tree, proofs and checkpoint anew. What else the tree holds is nobody's."""
    origin, old_size, *_ = checkpoint_text(bag)
    leaves = _leaves(bag)
    change(leaves)
    size = int(old_size) if size is None else size
    hashes = [hash_leaf(b"another fact")] * size
    for at, entry in leaves.values():
        hashes[at] = hash_leaf(entry)
    read = _reader(hashes)
    for place, (at, entry) in leaves.items():
        path = [base64.b64encode(each).decode() for each in inclusion_path(read, at, size)]
        (bag / f"proof/{place}.entry").write_bytes(entry)
        head = ["c2sp.org/tlog-proof@v1", f"index {at}", *path, "", ""]
        proof = "\n".join(head).encode() + (bag / "proof/checkpoint.note").read_bytes()
        (bag / f"proof/{place}.tlog-proof").write_bytes(proof)
    root = base64.b64encode(root_of(read, size)).decode()
    sign_checkpoint(archive, bag, "\n".join([origin, str(size), root, ""]))


def _leaves(bag: Path) -> Leaves:
    found: Leaves = {}
    for entry in sorted(bag.glob("proof/*/*.entry")):
        index = entry.with_suffix(".tlog-proof").read_text(encoding="utf-8").split("\n")[1]
        place = entry.relative_to(bag / "proof").with_suffix("").as_posix()
        found[place] = (int(index.removeprefix("index ")), entry.read_bytes())
    return found


def _reader(hashes: list[bytes]) -> ReadNode:
    levels = [hashes]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([hash_node(*below[at : at + 2]) for at in range(0, len(below) - 1, 2)])
    return lambda level, position: levels[level][position]
