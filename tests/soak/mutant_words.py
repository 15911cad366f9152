"""Which changes of code are no behaviour: words that only people read, and capitals in SQL's own words."""

import ast
import io
import re
import tokenize
from collections import Counter
from typing import Final

# What is called with words for people.
TELLERS: Final = frozenset({"require", "say", "info", "warning", "error", "exception", "exit", "progress"})
_SQL: Final = re.compile(
    r"\b(select|insert|update|delete|from|where|values|order by|join|and|union|returning)\b"
    r"|\b(max|min|count)\(",
    re.IGNORECASE,
)
# A value asked of a row of SQLite by name.
_NAMED: Final = re.compile(r"\b(row|begun)\[\"\w+\"\]")


def of_module(source: str) -> frozenset[str]:
    """Every string literal of the module, as it is written, that stands where people are told something."""
    spans = [
        (part.lineno, part.col_offset, part.end_lineno or 0, part.end_col_offset or 0)
        for node in ast.walk(ast.parse(source))
        for part in _told(node)
    ]
    return frozenset(
        token.string
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.STRING and any(_is_inside(token, span) for span in spans)
    )


def _told(node: ast.AST) -> list[ast.expr]:
    """The parts of a statement or call that are words for people."""
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        return node.exc.args
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in TELLERS:
            return [*node.args, *(each.value for each in node.keywords)]
        if name.endswith("Error"):
            return node.args
    is_sentence = isinstance(node, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id in ("sentence", "words", "trouble")
        for target in node.targets
    )
    return [node.value] if is_sentence and isinstance(node, ast.Assign) else []


def _is_inside(token: tokenize.TokenInfo, span: tuple[int, int, int, int]) -> bool:
    line = token.line.encode()[: len(token.line[: token.start[1]].encode())]
    return (span[0], span[1]) <= (token.start[0], len(line)) < (span[2], span[3])


def is_word(words: frozenset[str], before: str, after: str) -> bool:
    """Whether a change touches nothing but words for people."""
    gone, come = _tokens(before) - _tokens(after), _tokens(after) - _tokens(before)
    if not gone or not all(each in words for each in gone):
        return False
    return all(each == "None" or each[-1:] in "\"'" for each in come)


def equivalence(before: str, after: str) -> str:
    """Why a change can change nothing; empty when no rule says so."""
    if before.lower() == after.lower() and _SQL.search(before) and "'" not in _inside_quotes(before):
        return "SQLite does not tell capitals from small letters in its own words and in names"
    if _small_names(before) == _small_names(after):
        return "a row of SQLite is asked by names without regard to capitals"
    return ""


def _small_names(line: str) -> str:
    return _NAMED.sub(lambda found: found[0].lower(), line)


def _inside_quotes(line: str) -> str:
    return "".join(re.findall(r'"([^"]*)"', line))


def _tokens(line: str) -> Counter[str]:
    found: Counter[str] = Counter()
    try:
        for token in tokenize.generate_tokens(io.StringIO(line).readline):
            if token.type not in (
                tokenize.NEWLINE,
                tokenize.NL,
                tokenize.ENDMARKER,
                tokenize.INDENT,
                tokenize.DEDENT,
            ):
                found[token.string] += 1
    except (tokenize.TokenError, IndentationError):  # a part of a longer statement
        pass
    return found
