"""What stood against arming, as the page's form carries it: sealed, so that it is what this console showed.

The seal names the session and the account: what one person was shown says nothing of another.
"""

import hmac
from hashlib import sha256
from typing import Final

from flask import request
from flask_login import current_user

from exam.arming_warnings import SeenWarnings, read_seen
from web.services import services

PURPOSE: Final = "web/arming-seal/1"
SEAL_LETTERS: Final = 64


def sealed(session_id: int, seen: SeenWarnings) -> str:
    """The value of the form's field."""
    return _seal(session_id, seen.text) + seen.text


def seen_in_form(session_id: int) -> SeenWarnings:
    """What this person was shown of the session in this attempt; nothing where the form does not prove it."""
    given = request.form.get("seen", "")
    seal, text = given[:SEAL_LETTERS], given[SEAL_LETTERS:]
    seen = read_seen(text)
    is_ours = hmac.compare_digest(seal.encode(), _seal(session_id, text).encode())
    return seen if seen is not None and is_ours else SeenWarnings()


def _seal(session_id: int, text: str) -> str:
    shown = f"{session_id}\0{current_user.account_id}\0{text}"
    return hmac.digest(services().vault.secret(PURPOSE), shown.encode(), sha256).hex()
