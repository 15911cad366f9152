"""`run.py verify`: the verifier that lies in every bag, run from here. There is only one."""

from collections.abc import Sequence

from evidence import bag_verifier


def main(words: Sequence[str], _settings_at: object) -> int:
    """Verify the bag that the words name; 0 only if all of it is proved with a key from outside."""
    return bag_verifier.main(list(words))
