import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.merkle import (
    EMPTY_ROOT,
    Frontier,
    Inclusion,
    ReadNode,
    TreeHead,
    completed_by,
    consistency_path,
    hash_leaf,
    hash_node,
    inclusion_path,
    is_consistent,
    is_included,
    root_of,
)

# The entries and roots that the Certificate Transparency implementations test with.
ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SIZES = range(1, 40)


def leaves(count: int) -> list[bytes]:
    return [hash_leaf(b"entry %d" % number) for number in range(count)]


def defined_root(hashes: list[bytes]) -> bytes:
    """MTH as RFC 6962 writes it, for comparison."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return hashlib.sha256(b"\x01" + defined_root(hashes[:split]) + defined_root(hashes[split:])).digest()


def stored(hashes: list[bytes]) -> ReadNode:
    nodes: dict[tuple[int, int], bytes] = {}
    for index, leaf in enumerate(hashes):
        nodes[0, index] = leaf
        for node in completed_by(lambda level, position: nodes[level, position], index, leaf):
            nodes[node.level, node.position] = node.hash
    return lambda level, position: nodes[level, position]


def head(hashes: list[bytes]) -> TreeHead:
    return TreeHead(len(hashes), defined_root(hashes))


def flipped(value: bytes, bit: int = 0) -> bytes:
    return bytes([value[0] ^ (1 << bit), *value[1:]])


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_the_known_trees_have_the_known_roots(size: int) -> None:
    hashes = [hash_leaf(entry) for entry in ENTRIES[:size]]
    assert root_of(stored(hashes), size).hex() == ROOTS[size]


def test_the_known_proofs_are_made() -> None:
    hashes = [hash_leaf(entry) for entry in ENTRIES]
    assert [each.hex() for each in inclusion_path(stored(hashes), 0, 8)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert [each.hex() for each in consistency_path(stored(hashes), 1, 8)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]


def test_a_leaf_can_never_pass_for_a_node() -> None:
    left, right = leaves(2)
    assert hash_leaf(left + right) != hash_node(left, right)


@pytest.mark.parametrize("size", SIZES)
def test_stored_and_recomputed_roots_are_the_defined_one(size: int) -> None:
    hashes = leaves(size)
    edge = Frontier()
    assert edge.root() == EMPTY_ROOT
    for number, leaf in enumerate(hashes, 1):
        edge.add(leaf)
        assert edge.root() == defined_root(hashes[:number])
    assert edge.size == size
    assert root_of(stored(hashes), size) == defined_root(hashes)


@pytest.mark.parametrize("size", SIZES)
def test_every_leaf_of_every_tree_proves_itself_and_nothing_else(size: int) -> None:
    hashes = leaves(size)
    read = stored(hashes)
    for index, leaf in enumerate(hashes):
        claim = Inclusion(leaf, index, inclusion_path(read, index, size))
        assert is_included(claim, head(hashes))
        assert not is_included(replace(claim, leaf_hash=flipped(leaf)), head(hashes))
        assert not is_included(replace(claim, path=[*claim.path, leaf]), head(hashes))
        assert not is_included(claim, TreeHead(size, flipped(defined_root(hashes))))
        if claim.path:
            assert not is_included(replace(claim, path=claim.path[:-1]), head(hashes))
            assert not is_included(replace(claim, index=index ^ 1), head(hashes))


@pytest.mark.parametrize("size", SIZES)
def test_every_beginning_of_a_tree_is_proved_and_no_other(size: int) -> None:
    hashes = leaves(size)
    read = stored(hashes)
    for old in range(size + 1):
        path = consistency_path(read, old, size)
        before = head(hashes[:old])
        assert is_consistent(before, head(hashes), path)
        assert not is_consistent(replace(before, root=flipped(before.root)), head(hashes), path)
        assert not is_consistent(before, head(hashes), [*path, hashes[0]])
        if path:
            assert not is_consistent(before, TreeHead(size, flipped(defined_root(hashes))), path)
            assert not is_consistent(before, head(hashes), path[:-1])
            assert not is_consistent(before, head(hashes), [])


@given(st.integers(2, 300), st.data())
def test_one_flipped_bit_anywhere_in_a_proof_breaks_it(size: int, draw: st.DataObject) -> None:
    hashes = leaves(size)
    read = stored(hashes)
    bit = draw.draw(st.integers(0, 7))
    index = draw.draw(st.integers(0, size - 1))
    path = inclusion_path(read, index, size)
    which = draw.draw(st.integers(0, len(path) - 1))
    bad = [flipped(each, bit) if number == which else each for number, each in enumerate(path)]
    assert not is_included(Inclusion(hashes[index], index, bad), head(hashes))
    old = draw.draw(st.integers(1, size - 1))
    path = consistency_path(read, old, size)
    which = draw.draw(st.integers(0, len(path) - 1))
    bad = [flipped(each, bit) if number == which else each for number, each in enumerate(path)]
    assert is_consistent(head(hashes[:old]), head(hashes), path)
    assert not is_consistent(head(hashes[:old]), head(hashes), bad)


def test_questions_outside_the_tree_are_refused() -> None:
    read = stored(leaves(3))
    with pytest.raises(IndexError, match="leaf 3 is not in a tree of 3"):
        inclusion_path(read, 3, 3)
    with pytest.raises(IndexError, match="not an extension of one of 4"):
        consistency_path(read, 4, 3)
    assert not is_included(Inclusion(leaves(1)[0], 3, []), head(leaves(3)))
    assert not is_included(Inclusion(leaves(1)[0], 1, []), head(leaves(1)))
    assert not is_consistent(head(leaves(4)), head(leaves(3)), leaves(1))
