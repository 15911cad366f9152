"""The Merkle tree of the ledger: RFC 6962 hashing (section 2.1), proofs and their verification.

Pure: no database, no clock. A tree of n leaves is made of complete subtrees. The subtree `level`,
`position` covers the leaves from `position << level` on, `1 << level` of them; level 0 is a leaf.
Whoever stores these subtrees can answer every question about any earlier size of the tree.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

LEAF_PREFIX: Final = b"\x00"
NODE_PREFIX: Final = b"\x01"
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

# The hash of the complete subtree at this level and position.
ReadNode = Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True)
class TreeHead:
    """How many leaves a tree has, and the hash that commits to all of them and their order."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Node:
    """A complete subtree, final once it exists."""

    level: int
    position: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Inclusion:
    """The claim that a leaf stands at this index, and the hashes that prove it, leaf side first."""

    leaf_hash: bytes
    index: int
    path: Sequence[bytes]


def hash_leaf(entry: bytes) -> bytes:
    """The hash of one entry of the log."""
    return hashlib.sha256(LEAF_PREFIX + entry).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side."""
    return hashlib.sha256(NODE_PREFIX + left + right).digest()


def completed_by(read: ReadNode, index: int, leaf_hash: bytes) -> list[Node]:
    """The subtrees of level 1 and more that the leaf with this index completes; at most log2 of them."""
    made: list[Node] = []
    level, position, current = 0, index, leaf_hash
    while position & 1:
        current = hash_node(read(level, position - 1), current)
        level, position = level + 1, position >> 1
        made.append(Node(level, position, current))
    return made


def root_of(read: ReadNode, size: int) -> bytes:
    """The root of the tree's first `size` leaves."""
    return _hash_range(read, 0, size) if size else EMPTY_ROOT


def inclusion_path(read: ReadNode, index: int, size: int) -> list[bytes]:
    """PATH(index, D[size]): proves one leaf of the first `size`. Raises IndexError outside them."""
    if not 0 <= index < size:
        raise IndexError(f"leaf {index} is not in a tree of {size}")
    path: list[bytes] = []
    start = 0
    while size > 1:
        left = _split(size)
        if index - start < left:
            path.append(_hash_range(read, start + left, size - left))
            size = left
        else:
            path.append(_hash_range(read, start, left))
            start, size = start + left, size - left
    return path[::-1]


def consistency_path(read: ReadNode, old_size: int, size: int) -> list[bytes]:
    """PROOF(old_size, D[size]): proves that the smaller tree is the larger one's beginning."""
    if not 0 <= old_size <= size:
        raise IndexError(f"a tree of {size} is not an extension of one of {old_size}")
    path: list[bytes] = []
    start = 0
    while 0 < old_size - start < size:
        left = _split(size)
        if old_size - start <= left:
            path.append(_hash_range(read, start + left, size - left))
            size = left
        else:
            path.append(_hash_range(read, start, left))
            start, size = start + left, size - left
    if start:
        path.append(_hash_range(read, start, size))
    return path[::-1]


def is_included(claim: Inclusion, head: TreeHead) -> bool:
    """Whether the claim holds in the tree with this head (RFC 9162, 2.1.3.2)."""
    if not 0 <= claim.index < head.size:
        return False
    index, last, current = claim.index, head.size - 1, claim.leaf_hash
    for sibling in claim.path:
        if not last:
            return False
        if index & 1 or index == last:
            current = hash_node(sibling, current)
            index, last = _above_left_edge(index, last)
        else:
            current = hash_node(current, sibling)
        index, last = index >> 1, last >> 1
    return not last and current == head.root


def is_consistent(old: TreeHead, new: TreeHead, path: Sequence[bytes]) -> bool:
    """Whether the new tree begins with the old one (RFC 9162, 2.1.4.2)."""
    if old.size in {0, new.size}:
        known = EMPTY_ROOT if old.size == 0 else new.root
        return not path and old.root == known
    hashes = [old.root, *path] if old.size & (old.size - 1) == 0 else list(path)
    if not 0 < old.size < new.size or not path:
        return False
    index, last = old.size - 1, new.size - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    old_root = new_root = hashes[0]
    for sibling in hashes[1:]:
        if not last:
            return False
        if index & 1 or index == last:
            old_root, new_root = hash_node(sibling, old_root), hash_node(sibling, new_root)
            index, last = _above_left_edge(index, last)
        else:
            new_root = hash_node(new_root, sibling)
        index, last = index >> 1, last >> 1
    return not last and old_root == old.root and new_root == new.root


class Frontier:
    """Recomputes a tree leaf by leaf, remembering only its right edge."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: dict[int, bytes] = {}

    def add(self, leaf_hash: bytes) -> list[Node]:
        """Take the next leaf; returns the subtrees it completes."""
        made = completed_by(lambda level, _position: self._edge[level], self.size, leaf_hash)
        self._edge[made[-1].level if made else 0] = made[-1].hash if made else leaf_hash
        self.size += 1
        return made

    def root(self) -> bytes:
        """The root of the leaves taken so far."""
        return root_of(lambda level, _position: self._edge[level], self.size)


def _split(size: int) -> int:
    """The largest power of two below the size."""
    return 1 << ((size - 1).bit_length() - 1)


def _hash_range(read: ReadNode, start: int, size: int) -> bytes:
    """The hash of `size` leaves from `start`, a range that the tree's own division makes."""
    level = size.bit_length() - 1
    left = read(level, start >> level)
    rest = size - (1 << level)
    return hash_node(left, _hash_range(read, start + (1 << level), rest)) if rest else left


def _above_left_edge(index: int, last: int) -> tuple[int, int]:
    """Climb while the subtree has no sibling on the right."""
    while index and not index & 1:
        index, last = index >> 1, last >> 1
    return index, last
