"""Ask a rule about many numbers at once: once for all that share their length and the first digits that decide."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from mmap import mmap
from typing import Final, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

MOST_DIGITS: Final = 18  #: of a number that fits into int64
MOST_DECIDING: Final = 6  #: a rule that looks at more first digits is asked about every number
UNKNOWN_PATTERN: Final = 99
POWERS: Final = 10 ** np.arange(MOST_DIGITS + 1, dtype=np.int64)
ANY_DIGIT: Final = r"\d"
_TOKEN: Final = re.compile(
    r"(?P<digit>\\d|\d|\[[\d-]+\])|(?P<open>\((?:\?:)?(?!\?))|(?P<close>\))|(?P<or>\|)"
    r"|\{(?:\d+,)?(?P<times>\d+)\}|[?$]"
)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Digits as whole numbers, and how many digits each has, with the zeros in front."""

    values: Ints
    lengths: Ints

    def at(self, places: Ints | Flags) -> Self:
        """Some of them."""
        return type(self)(self.values[places], self.lengths[places])

    def without_first(self, count: Ints | int) -> Self:
        """All, without so many of the digits that each begins with."""
        lengths = np.maximum(self.lengths - count, 0)
        return type(self)(self.values % POWERS[lengths], lengths)

    def first(self, count: int) -> Ints:
        """The digits that each begins with; all where there are fewer."""
        return self.values // POWERS[np.maximum(self.lengths - count, 0)]

    def replaced(self, places: Flags, others: Self) -> Self:
        """At `places` the others."""
        if not places.any():
            return self
        values = np.where(places, others.values, self.values)
        return type(self)(values, np.where(places, others.lengths, self.lengths))

    def texts(self) -> pa.Array:
        """The digits as they are written."""
        pairs = zip(self.values.tolist(), self.lengths.tolist(), strict=True)
        return pa.array([f"{value:0{length}}"[:length] for value, length in pairs], pa.string())


class Rule:
    """What patterns say of a number: one of a few small numbers, remembered by length and first digits."""

    def __init__(self, answer: Callable[[pa.Array], Ints], patterns: Iterable[str]) -> None:
        self._answer = answer  #: of texts of digits, all from 0 to 126
        self._first = max(map(deciding_digits, patterns), default=0)
        remembered = (MOST_DIGITS + 1) * 10**self._first if self._first <= MOST_DECIDING else 0
        # 0: not asked yet, else one more than the answer. Of what mmap gives only the touched pages take memory;
        # numpy's zeros are written to as soon as the program holds much.
        self._answers = np.frombuffer(mmap(-1, remembered), np.int8) if remembered else np.zeros(0, np.int8)

    def __call__(self, numbers: Numbers) -> Ints:
        """The answer for each."""
        if not len(self._answers):
            return self._answer(numbers.texts())
        keys = numbers.lengths * 10**self._first + numbers.first(self._first)
        unknown = np.unique(keys[self._answers[keys] == 0])
        if len(unknown):
            lengths, first = np.divmod(unknown, 10**self._first)
            some = Numbers(first * POWERS[np.maximum(lengths - self._first, 0)], lengths)
            self._answers[unknown] = self._answer(some.texts()) + 1
        answers: Ints = self._answers[keys].astype(np.int64) - 1
        return answers


def deciding_digits(pattern: str) -> int:
    """How many first digits decide, together with the length, whether a number matches: behind them all is \\d."""
    tokens = list(_TOKEN.finditer(f"(?:{pattern})"))
    if "".join(token[0] for token in tokens) != f"(?:{pattern})":
        return UNKNOWN_PATTERN
    deciding = place = before = 0  # `before`: where the last digit or group begins
    groups: list[tuple[int, int]] = []  # where an open group begins, and how far its branches go
    for token, last in zip(tokens, [tokens[0], *tokens], strict=False):
        if token["digit"]:
            before, place = place, place + 1
            deciding = max(deciding, 0 if token["digit"] == ANY_DIGIT else place)
        elif token["open"]:
            groups.append((place, place))
        elif token["or"]:
            groups[-1] = groups[-1][0], max(groups[-1][1], place)
            place = groups[-1][0]
        elif token["close"]:
            before, end = groups.pop()
            place = max(end, place)
        elif token["times"]:
            place = before + (place - before) * int(token["times"])
            deciding = max(deciding, 0 if last["digit"] == ANY_DIGIT else place)
    return deciding
