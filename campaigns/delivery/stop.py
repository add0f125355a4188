"""The word to stop, and the second word that does not wait."""

import asyncio
from typing import Final

INTERRUPTED: Final = "interrupted"  #: the reason of a message whose request the second word cut off


class Stop:
    """`ask`: claim no more and finish what left. `abort`: what is in flight becomes `unknown` at once."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.aborted = asyncio.Event()

    def ask(self) -> None:
        """The first word."""
        self.asked.set()

    def abort(self) -> None:
        """The second word; it is the first as well."""
        self.asked.set()
        self.aborted.set()
