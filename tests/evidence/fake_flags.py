"""A kernel that keeps one file's flags in memory and refuses what a test wants refused."""

import errno
from array import array
from dataclasses import dataclass, field

GET = 0x80086601
SET = 0x40086602
IMMUTABLE = 0x10


@dataclass
class FakeFlags:
    value: int = 0
    refuses: set[int] = field(default_factory=set)
    refusal: int = errno.EPERM

    def __call__(self, _descriptor: int, request: int, flags: "array[int]") -> int:
        if request in self.refuses:
            raise OSError(self.refusal, "refused")
        if request == GET:
            flags[0] = self.value
        else:
            self.value = flags[0]
        return 0
