"""How far a ledger is signed, read from beside its writer: for decisions that trust nothing else.

`Checkpoints` belongs to the service that writes the ledger; this reads what it signed.
"""

from pathlib import Path

from evidence.checkpoints import CheckpointError, Refusal, Signer, last_note, read_note
from evidence.database import ReaderDatabase
from evidence.merkle import TreeHead


class SignedLedger:
    """The last signed head of one ledger."""

    def __init__(self, ledger_path: Path, keys_folder: Path, name: str) -> None:
        self._store_path = ledger_path.with_name(f"{name}_checkpoints.db")
        self._key_path = keys_folder / f"ledger_{name}.key"
        self._name = name
        self._store: ReaderDatabase | None = None

    def head(self) -> TreeHead:
        """Size and root that were signed last. Raises CheckpointError when it cannot be told."""
        if not self._key_path.exists() or not self._store_path.exists():
            raise CheckpointError(Refusal.CHECKPOINTS_LOST, f"the ledger of {self._name} is not signed yet")
        signer = Signer.load(self._key_path, self._name)
        with self._opened().read() as connection:
            note = last_note(connection)
        if note is None:
            return TreeHead(0, b"")
        return read_note(note, signer.origin, signer.key.public_key())

    def close(self) -> None:
        """Close the connection."""
        if self._store is not None:
            self._store.close()

    def _opened(self) -> ReaderDatabase:
        if self._store is None:
            self._store = ReaderDatabase(self._store_path)
        return self._store
