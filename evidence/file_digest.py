"""SHA-256 of files: what the ledger, the day's lists and every check compare."""

import hashlib
from pathlib import Path


def sha256_of(path: Path) -> bytes:
    """The digest of the file's bytes, 32 bytes. Raises OSError."""
    with path.open("rb", buffering=0) as opened:
        return hashlib.file_digest(opened, "sha256").digest()
