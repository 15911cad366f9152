"""A few of the changes of `run.py soak archive_mutations`, and what it leaves to the document to admit."""

from pathlib import Path

from tests.soak.archive_mutations import LOOSE_COLUMNS, Site, loose_tables, run

DOCUMENT = Path(__file__).parents[2] / "docs" / "design" / "evidence.md"


def test_no_bit_of_a_closed_site_changes_its_content_unnoticed() -> None:
    tally = run(40, 20261122)
    assert tally.accepted == []
    assert sum(tally.met.values()) == 40


def test_what_the_check_holds_against_no_leaf_is_named_in_the_document(tmp_path: Path) -> None:
    chapter = DOCUMENT.read_text(encoding="utf-8").partition("## The check")[2]
    unnamed = {
        name for name in loose_tables(Site.lay(tmp_path)) | LOOSE_COLUMNS if f"`{name}`" not in chapter
    }
    assert unnamed == set()
