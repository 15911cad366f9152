"""Anchors outside the machine (外部锚定): print, cosign or stamp checkpoints; compare paper years later.

What is missing is said on the page; none of it is ever needed to run the day.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import Final, TypeVar

import segno
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from evidence import cosigner_tool
from evidence.anchors import (
    LEDGERS,
    Anchor,
    AnchorError,
    AnchorKind,
    Answer,
    Comparison,
    SignedHead,
    anchors,
    broken_anchors,
    compare,
    find_head,
    last_head,
    public_pem,
    read_claim,
    record_answer,
    record_paper,
)
from evidence.cosigning import (
    cosign_request,
    is_answered_by,
    is_stamped_by,
    read_cosignature,
    read_stamp,
    stamp_query,
)
from evidence.database import ReaderDatabase, WriterDatabase
from evidence.outside_time import Authority, AuthorityKind
from evidence.time_authorities import TimeAuthority, load_authorities, load_authority
from web.downloads import download, printed
from web.services import services

blueprint: Final = Blueprint("anchors", __name__)

T = TypeVar("T")

STYLESHEET: Final = Path(__file__).parent / "static" / "anchors" / "sheet.css"
LEDGER_WORDS: Final = {"exam": "考务台账", "footage": "影像台账"}
KIND_WORDS: Final = {
    AnchorKind.PAPER: "打印签字",
    AnchorKind.COSIGNED: "共签",
    AnchorKind.STAMPED: "时间戳",
}
COMPARED_WORDS: Final = {
    # The stored hashes are compared: a leaf whose words alone were changed is found by the check.
    Comparison.EXTENDS: (
        "good",
        "一致：台账的校验值仍以纸上的为开头，此后只有增加。各条内容另由 run.py check 逐条核对。",
    ),
    Comparison.DIFFERS: ("bad", "不一致：台账在打印之后被改写。请立即停止使用本机，保存现状并报告主管单位。"),
    Comparison.SHORTER: (
        "bad",
        "不一致：台账比纸上的条目少，可能被换成了旧的副本。请立即保存现状并报告主管单位。",
    ),
    Comparison.FOREIGN: ("wait", "不是本考点的台账：名称或密钥不同。请核对第一行。"),
}


@dataclass(frozen=True, slots=True)
class LedgerView:
    """One ledger on the page and on paper; `head` is None before anything was signed."""

    name: str
    word: str
    head: SignedHead | None
    history: list[Anchor]
    broken: list[Anchor]

    @property
    def code(self) -> str:
        """The whole note as a QR code."""
        assert self.head is not None
        made: str = segno.make_qr(self.head.note, error="m").svg_data_uri(scale=3, border=2)
        return made

    def last_of(self, kind: AnchorKind) -> Anchor | None:
        """The newest anchor of a kind."""
        return next((one for one in self.history if one.kind is kind), None)


@blueprint.get("/anchors")
def page() -> str:
    return _page()


@blueprint.post("/anchors/sheet")
def sheet() -> ResponseReturnValue:
    """Print today's checkpoints; that they were printed is a fact of its own."""
    now_us = services().clock.wall_us()
    views = _views()
    heads = {view.name: view.head for view in views if view.head is not None}
    if not heads:
        return _page(("bad", "台账还没有签名的检查点。请稍候一分钟再打印。")), 409
    with services().exam.write() as connection:
        record_paper(connection, heads, current_user.account_id, now_us)
    facts = {"views": [view for view in views if view.head], "made_by": current_user.display_name}
    page = render_template("anchors/paper.html", now_us=now_us, **facts)
    return printed(page, STYLESHEET, "checkpoints.pdf")


@blueprint.post("/anchors/compare")
def compare_paper() -> ResponseReturnValue:
    """Whether today's ledger still begins with what somebody holds in hand."""
    text = request.form.get("text", "")
    try:
        claim = read_claim(text)
    except AnchorError as error:
        return _page(("bad", str(error)), typed=text), 400
    named = {head.origin: head.ledger for head in map(_last, LEDGERS) if head is not None}
    ledger = named.get(claim.origin)
    if ledger is None:
        return _page(COMPARED_WORDS[Comparison.FOREIGN], typed=text)
    found = _asked(ledger, lambda connection: compare(connection, claim.origin, claim))
    return _page(COMPARED_WORDS[found], typed=text)


@blueprint.get("/anchors/<ledger>/request")
def cosigning(ledger: str) -> ResponseReturnValue:
    """The file for a cosigner's stick."""
    head = _head_or_404(ledger)
    old_size = request.args.get("from", 0, type=int)
    try:
        text = _asked(ledger, lambda connection: cosign_request(connection, head, old_size))
    except AnchorError as error:
        return _page(("bad", str(error))), 400
    return download(text.encode(), "text/plain", f"cosign-{ledger}-{head.head.size}.txt")


@blueprint.get("/anchors/<ledger>/question")
def question(ledger: str) -> ResponseReturnValue:
    """The file for a time stamping authority."""
    head = _head_or_404(ledger)
    return download(stamp_query(head), "application/timestamp-query", f"stamp-{ledger}-{head.head.size}.tsq")


@blueprint.get("/anchors/<ledger>/key.pem")
def key(ledger: str) -> ResponseReturnValue:
    """The public key, to be compared with its fingerprint on paper."""
    _head_or_404(ledger)
    pem = public_pem(services().settings.keys_folder, ledger)
    return download(pem, "application/x-pem-file", f"kaochang-{ledger}.pem")


@blueprint.get("/anchors/cosign.py")
def tool() -> ResponseReturnValue:
    """The cosigner's program."""
    return download(Path(cosigner_tool.__file__).read_bytes(), "text/x-python", "cosign.py")


@blueprint.post("/anchors/<ledger>/answer")
def take_answer(ledger: str) -> ResponseReturnValue:
    """What came back from outside; refused in words unless it holds."""
    _head_or_404(ledger)
    sent = request.files.get("answer")
    body = b"" if sent is None else sent.read()
    with services().exam.read() as connection:
        authority = load_authority(connection, request.form.get("authority", 0, type=int))
    if authority is None or not body:
        return _page(("bad", "请选择文件，并选择是谁的答复。")), 400
    try:
        head, answer = _read_answer(ledger, authority, body)
    except AnchorError as error:
        return _page(("bad", str(error))), 400
    with services().exam.write() as connection:
        record_answer(connection, head, answer, (current_user.account_id, services().clock.wall_us()))
    return redirect(url_for("anchors.page"))


def _read_answer(ledger: str, authority: TimeAuthority, body: bytes) -> tuple[SignedHead, Answer]:
    if authority.kind is AuthorityKind.TSA:
        head = _find(ledger, lambda note: is_stamped_by(note, body))
        return head, read_stamp(head, authority.id, Authority(authority.kind, authority.public_pem), body)
    text = body.decode("utf-8", "replace")
    head = _find(ledger, lambda note: is_answered_by(note, text))
    public = load_pem_public_key(authority.public_pem.encode())
    assert isinstance(public, Ed25519PublicKey)  # checked when it was registered
    return head, read_cosignature(head, authority.id, public, text)


def _find(ledger: str, is_meant: Callable[[str], bool]) -> SignedHead:
    settings = services().settings
    head = find_head(settings.data_folder, settings.keys_folder, ledger, is_meant)
    if head is None:
        raise AnchorError("这份答复不是对本台账任何检查点的答复，没有保存。")
    return head


def _last(ledger: str) -> SignedHead | None:
    settings = services().settings
    return last_head(settings.data_folder, settings.keys_folder, ledger)


def _head_or_404(ledger: str) -> SignedHead:
    head = _last(ledger) if ledger in LEDGERS else None
    if head is None:
        abort(404)
    return head


def _asked(ledger: str, ask: Callable[[Connection], T]) -> T:
    database = _database(ledger)
    assert database is not None  # it has a signed head
    with database.read() as connection:
        return ask(connection)


def _views() -> list[LedgerView]:
    return [_view(ledger) for ledger in LEDGERS]


def _view(ledger: str) -> LedgerView:
    head, database = _last(ledger), _database(ledger)
    with services().exam.read() as exam:
        history = anchors(exam, ledger)
        if head is None or database is None:
            return LedgerView(ledger, LEDGER_WORDS[ledger], None, history, [])
        with database.read() as connection:
            broken = broken_anchors(exam, connection, ledger, head.origin)
    return LedgerView(ledger, LEDGER_WORDS[ledger], head, history, broken)


def _database(ledger: str) -> WriterDatabase | ReaderDatabase | None:
    return services().exam if ledger == "exam" else services().footage()


def _page(said: tuple[str, str] | None = None, typed: str = "") -> str:
    with services().exam.read() as connection:
        authorities = load_authorities(connection)
    return render_template(
        "anchors/page.html",
        views=_views(),
        authorities=authorities,
        said=said,
        typed=typed,
        kind_words=KIND_WORDS,
        kinds=AnchorKind,
    )
