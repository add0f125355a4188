"""A system keyring that lives in memory, so that no test asks the keyring of the machine it runs on."""

from collections.abc import Iterator
from contextlib import contextmanager

import keyring
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError


class MemoryKeyring(KeyringBackend):
    """Keeps (service, user) -> password, and what it was asked for; `failure` is what it then fails with."""

    priority = 1.0

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.asked: list[str] = []
        self.failure: Exception | None = None

    def get_password(self, service: str, username: str) -> str | None:
        self._fail_if_told()
        self.asked.append(username)
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._fail_if_told()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError(username)

    def _fail_if_told(self) -> None:
        if self.failure is not None:
            raise self.failure


@contextmanager
def as_system_keyring(backend: KeyringBackend) -> Iterator[None]:
    """Let `keyring` use this backend for a while."""
    before = keyring.get_keyring()
    keyring.set_keyring(backend)
    try:
        yield
    finally:
        keyring.set_keyring(before)
