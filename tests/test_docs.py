"""The documents stay true: settings, outcome codes, tables, links."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from config.settings import Settings
from evidence.check_codes import Code
from evidence.footage import Cause

ROOT = Path(__file__).resolve().parent.parent
GUIDE = ROOT / "docs" / "guide" / "README.zh.md"
PAGES = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]


def settings_keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from settings_keys(kind, f"{prefix}{name}.")
        else:
            yield prefix + name


def test_the_guide_explains_every_setting_and_no_other() -> None:
    explained = re.findall(r"^\| `([a-z_.]+)` \|", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert explained == list(settings_keys(Settings))


def test_every_setting_has_a_description() -> None:
    sections = [Settings, *(field.annotation for field in Settings.model_fields.values())]
    models = [kind for kind in sections if isinstance(kind, type) and issubclass(kind, BaseModel)]
    silent = [
        f"{model.__name__}.{name}"
        for model in models
        for name, field in model.model_fields.items()
        if not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel))
        and not field.description
    ]
    assert silent == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert broken == []


def test_every_table_of_the_schema_says_what_it_is_for() -> None:
    for script in sorted((ROOT / "evidence" / "schema").glob("*.sql")):
        lines = script.read_text(encoding="utf-8").splitlines()
        tables = [number for number, line in enumerate(lines) if line.startswith("create table")]
        assert tables or any(line.startswith("alter table") for line in lines)
        assert [lines[number] for number in tables if not lines[number - 1].startswith("--")] == []


def test_the_evidence_page_names_every_cause_of_a_gap() -> None:
    page = (ROOT / "docs" / "design" / "evidence.md").read_text(encoding="utf-8")
    assert [cause for cause in Cause if f"`{cause}`" not in page] == []


def test_the_evidence_page_names_every_code_of_the_check() -> None:
    page = (ROOT / "docs" / "design" / "evidence.md").read_text(encoding="utf-8")
    assert [code for code in Code if f"`{code}`" not in page] == []


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in folder.glob("0*.md") if path.name not in index] == []
