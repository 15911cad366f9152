"""The tools that change code: what counts as words, what as no change, and what becomes of each."""

import json
from pathlib import Path

import pytest

from tests.soak import mutant_words, mutants, shell_mutants

MODULE = """
def keep(age):
    if age > 5:
        raise ValueError("too old", code := "E1")
    name = "kept"
    log.info("seen", age=age)
    return name
"""


def test_words_for_people_are_no_behaviour_and_all_other_strings_are() -> None:
    words = mutant_words.of_module(MODULE)
    assert words == {'"too old"', '"E1"', '"seen"'}
    assert mutant_words.is_word(words, 'raise ValueError("too old")', 'raise ValueError("XXtoo oldXX")')
    assert mutant_words.is_word(words, 'log.info("seen", age=age)', "log.info(None, age=age)")
    assert not mutant_words.is_word(words, 'name = "kept"', 'name = "XXkeptXX"')
    assert not mutant_words.is_word(words, "if age > 5:", "if age >= 5:")
    assert not mutant_words.is_word(words, 'f("seen", age)', 'f("seen", None)')


@pytest.mark.parametrize(
    ("before", "after", "is_none"),
    [
        ('db.execute("select a from b")', 'db.execute("SELECT A FROM B")', True),
        (
            "f(\"select a where c = 'd'\")",
            "f(\"SELECT A WHERE C = 'D'\")",
            False,
        ),
        ('db.execute("select a from b")', 'db.execute("XXselect a from bXX")', False),
        ('name = "kept"', 'name = "KEPT"', False),
        ('{"id": row["id"]}', '{"id": row["ID"]}', True),
        ('{"id": row["id"]}', '{"ID": row["id"]}', False),
        ('{"id": body["id"]}', '{"id": body["ID"]}', False),
        ('" max(a) as b"', '" MAX(A) AS B"', True),
    ],
)
def test_capitals_in_sql_and_names_of_a_row_change_nothing(before: str, after: str, *, is_none: bool) -> None:
    assert bool(mutant_words.equivalence(before, after)) == is_none


def test_every_reason_is_given_and_every_module_exists() -> None:
    assert all(len(reason) > 10 for reason in mutants.known_equivalents().values())
    for path, tests in mutants.MODULES.values():
        assert (mutants.ROOT / path).exists(), path
        assert [each for each in tests if not (mutants.ROOT / each).exists()] == []


def test_what_changes_nothing_in_the_shell_script_is_still_a_change_of_it() -> None:
    made = shell_mutants.changes(shell_mutants.SCRIPT.read_text(encoding="utf-8"))
    possible = {(before.strip(), after.strip()) for _, before, after in made}
    listed = {(each[1], each[2]) for each in mutants.known_equivalents() if each[0] == mutants.SHELL}
    assert listed - possible == set()


def test_what_survived_earlier_tests_is_tried_again_once_they_change(tmp_path: Path) -> None:
    meta = tmp_path / "mutants" / "module.py.meta"
    meta.parent.mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text("first")

    def codes_after_a_turn() -> dict[str, int | None]:
        mutants._retry_survivors(tmp_path)
        found: dict[str, int | None] = json.loads(meta.read_text())["exit_code_by_key"]
        return found

    meta.write_text(json.dumps({"exit_code_by_key": {"a": 1, "b": 0, "c": None}}))
    assert codes_after_a_turn() == {"a": 1, "b": None, "c": None}
    meta.write_text(json.dumps({"exit_code_by_key": {"a": 1, "b": 0, "c": -24}}))
    assert codes_after_a_turn() == {"a": 1, "b": 0, "c": -24}
    (tmp_path / "tests" / "test_it.py").write_text("second")
    assert codes_after_a_turn() == {"a": 1, "b": None, "c": -24}


def test_the_score_leaves_words_and_equivalents_out() -> None:
    row = mutants.Row("x", mutants=14, killed=9, words=3, survived=[mutants.Survivor("f", "a", "b")])
    assert row.score == 90.0
    assert mutants.Row("x").score is None
    assert not mutants.Row("x").is_good()


def test_each_place_of_the_shell_script_is_changed_by_itself() -> None:
    script = '# if 1 -eq 2\nif [ "$x" -eq 2 ] || refuse "no"; then'
    assert [after for _, _, after in shell_mutants.changes(script)] == [
        'if [ "$x" -eq 2 ] || : "no"; then',
        'if [ "$x" -ge 2 ] || refuse "no"; then',
        'if [ "$x" -ne 2 ] || refuse "no"; then',
        'if [ "$x" -eq 2 ] && refuse "no"; then',
        'if [ "$x" -eq 3 ] || refuse "no"; then',
    ]


def test_what_is_said_for_people_and_which_failure_awk_ends_with_stay_as_they_are() -> None:
    def after(line: str) -> list[str]:
        return [changed for _, _, changed in shell_mutants.changes(line)]

    awk = """awk '$1 { exit 1 }' "$tmp/a 1" || refuse "line 3 = 3: $1\""""
    assert after(awk) == [
        awk.replace("refuse", ":"),
        awk.replace("exit 1", "1"),
        awk.replace("||", "&&"),
        awk.replace("$1 {", "$2 {"),
        awk.replace("a 1", "a 2"),
    ]
    assert after("exit 3") == ["exit 4"]
    assert after("tr '\\077' 0") == ["tr '\\100' 0", "tr '\\077' 1"]
    assert after('echo "1 file"') == []


def test_a_refusal_tells_how_far_the_script_came() -> None:
    script = 'a || refuse "no key: $1"\nb || refuse "no key: $2"\nc || refuse "$(grep x y)"\nd'
    assert shell_mutants.reach(script, "结论：不予采信 / REFUSED: no key: key.pem") == 2
    assert shell_mutants.reach(script, "结论：不予采信 / REFUSED: data/x: FAILED") > 4
    assert shell_mutants.reach(script, "sh: not found") > 4


def test_a_sample_is_the_same_each_time_and_counts_once_it_was_tried() -> None:
    every = [f"change{number}" for number in range(40)]
    assert mutants.by_chance(every, None) == every
    assert mutants.by_chance(every, 10) == mutants.by_chance(every, 10)
    assert len(set(mutants.by_chance(every, 10))) == 10
    assert mutants.by_chance(every, 99) != every
    tried = mutants.Row("x", mutants=40, killed=10, pending=30)
    assert tried.is_good(10)
    assert not tried.is_good()
    assert not tried.is_good(11)
