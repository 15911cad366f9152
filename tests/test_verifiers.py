"""Three verifiers that share no code agree on good, bad and changed bags."""

import ast
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evidence import bag_verifier
from evidence.bag_verifier import Span, unaccounted
from evidence.export_plan import CopyOptions
from exam.clock import SECOND_US
from tests import second_verifier
from tests.evidence.bags import CAMERA, FIRST_US, Archive, open_archive, relist, resign, wish
from tests.evidence.forged_bags import DISHONEST, FORGED, checkpoint_text, sign_checkpoint
from tests.evidence.laid_out import SHELL_VERIFIER, TENTH_US, holes_by_shell, layout
from tests.evidence.lying_bags import LIES
from tests.evidence.odd_bags import ODD, SIGNED_SO
from tests.evidence.spoiled_bags import ONLY_LISTS, SPOILING, UNLISTABLE, Said, redeliver
from tests.evidence.unusual_bags import UNUSUAL
from tests.soak.mutations import mutate

# Among the odd and unusual bags those that the shell's verifier judges too (it takes a quarter of a second);
# `soak mutants --module verify.sh` has it judge all of them.
SHELL_TOO = {
    *("statement: a letter as its number", "summary: a nothing in the word", "leaf: a key twice"),
    *("statement without its end", "strange folder", "a file named with no number", "leaf: no UTF-8"),
    *("much in words", "much in a leaf", "holes in two cameras", "a tree with two edges"),
}
BITS = 60
LAYOUTS = 150


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with open_archive(tmp_path_factory.mktemp("archive")) as opened:
        yield opened


@pytest.fixture(scope="module")
def made(archive: Archive) -> Path:
    return archive.export()[0].path


@pytest.fixture
def bag(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "bag"))


def both(archive: Archive, bag: Path) -> tuple[int, int]:
    fingerprint = archive.authority.fingerprint
    return bag_verifier.main([str(bag), "--fingerprint", fingerprint]), second_verifier.status(
        bag, fingerprint
    )


def all_three(archive: Archive, bag: Path) -> tuple[int, int, int]:
    words = ["sh", str(SHELL_VERIFIER), str(bag), "--fingerprint", archive.authority.fingerprint]
    ended = subprocess.run(words, capture_output=True, check=False, timeout=100)
    return *both(archive, bag), ended.returncode


def test_the_second_verifier_shares_no_import_with_the_product() -> None:
    tree = ast.parse(Path(second_verifier.__file__).read_text(encoding="utf-8"))
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    ours = {"exam", "evidence", "config", "recorder", "kiosk", "web", "rehearsal", "tests"}
    assert {module.split(".")[0] for module in modules} & ours == set()


def test_both_accept_good_bags_and_tell_incomplete_ones(archive: Archive, made: Path) -> None:
    assert both(archive, made) == (0, 0)
    assert (bag_verifier.main([str(made)]), second_verifier.status(made, None)) == (2, 2)
    assert second_verifier.status(made, "0" * 64) == 1
    late = wish(archive, FIRST_US, FIRST_US + 90 * SECOND_US, options=CopyOptions(with_play=False))
    assert both(archive, archive.export(late)[0].path) == (3, 3)
    half_us = FIRST_US + SECOND_US // 2
    only_gap = wish(archive, half_us + 16 * SECOND_US, half_us + 17 * SECOND_US, cameras=[CAMERA])
    assert both(archive, archive.export(only_gap)[0].path) == (0, 0)


@pytest.mark.parametrize("spoil", SPOILING, ids=lambda spoil: spoil.__name__)
def test_all_refuse_what_an_attacker_changes_with_and_without_new_manifests(
    archive: Archive, bag: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(bag)
    assert all_three(archive, bag) == (1, 1, 1)
    if spoil not in {*ONLY_LISTS, *UNLISTABLE}:
        relist(bag)
        assert all_three(archive, bag) == (1, 1, 1)


@pytest.mark.parametrize("cheat", DISHONEST, ids=lambda cheat: cheat.__name__)
def test_even_the_site_cannot_sign_what_the_ledger_does_not_say(
    archive: Archive, bag: Path, cheat: Callable[[Path], None]
) -> None:
    cheat(bag)
    resign(archive, bag)
    assert all_three(archive, bag) == (1, 1, 1)


@pytest.mark.parametrize("forge", FORGED, ids=lambda forge: forge.__name__)
def test_all_refuse_a_checkpoint_that_is_signed_and_wrong(
    archive: Archive, bag: Path, forge: Callable[[Archive, Path], None]
) -> None:
    forge(archive, bag)
    resign(archive, bag)
    assert all_three(archive, bag) == (1, 1, 1)


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_all_refuse_a_statement_that_the_proofs_contradict(
    archive: Archive, bag: Path, lie: Callable[[Said], None]
) -> None:
    redeliver(bag, lie)
    resign(archive, bag)
    assert all_three(archive, bag) == (1, 1, 1)


@pytest.mark.parametrize("how", [*ODD, *SIGNED_SO])
def test_one_odd_thing_is_enough_to_be_refused(archive: Archive, bag: Path, how: str) -> None:
    {**ODD, **SIGNED_SO}[how](archive, bag)
    if how in ODD:
        resign(archive, bag)
    judged = all_three(archive, bag) if how in SHELL_TOO else both(archive, bag)
    assert set(judged) == {bag_verifier.REFUSED}


@pytest.mark.parametrize("how", UNUSUAL)
def test_what_few_bags_have_is_no_reason_to_refuse_one(archive: Archive, bag: Path, how: str) -> None:
    make, verdict = UNUSUAL[how]
    make(archive, bag)
    resign(archive, bag)
    judged = all_three(archive, bag) if how in SHELL_TOO else both(archive, bag)
    assert set(judged) == {verdict}


def test_the_ways_to_change_a_bag_and_back_are_found_again(archive: Archive, bag: Path) -> None:
    """What the tests above change is all that makes them refuse: made anew unchanged, the bag is good."""
    redeliver(bag, lambda _said: None)
    sign_checkpoint(archive, bag, "\n".join(checkpoint_text(bag)))
    resign(archive, bag)
    assert all_three(archive, bag) == (0, 0, 0)


def test_all_find_the_same_time_unaccounted_in_whatever_overlaps(tmp_path: Path) -> None:
    chance = random.Random(20261123)
    from_us = 12 * TENTH_US
    for until_us in [from_us + tenths * TENTH_US for tenths in range(1, 20)]:
        layouts = [layout(chance) for _ in range(LAYOUTS)]
        first = [unaccounted(from_us, until_us, [Span(*each) for each in laid]) for laid in layouts]
        for laid, holes in zip(layouts, first, strict=True):
            stretches = sorted(second_verifier.Stretch(*each) for each in laid)
            second = second_verifier.holes(stretches, from_us, until_us)
            assert second == [tuple(hole) for hole in holes], laid
        assert holes_by_shell(tmp_path, from_us, until_us, layouts) == first


def test_no_single_bit_can_change_unnoticed(archive: Archive, bag: Path) -> None:
    chance = random.Random(20261122)
    files = sorted(each for each in bag.rglob("*") if each.is_file())
    kept = {each: each.read_bytes() for each in (bag / "manifest-sha256.txt", bag / bag_verifier.SIGNED)}
    for turn in range(BITS):
        target = chance.choice(files)
        with mutate(target, chance) as where:
            if turn % 2 and target not in kept:
                relist(bag, weigh=False)
            answers = both(archive, bag)
        for path, content in kept.items():
            path.write_bytes(content)
        assert answers == (1, 1), where
    assert both(archive, bag) == (0, 0)
