"""The errors that people meet, and the exit code that each ends a command with.

CampaignsError
|- InputError, SettingsError            exit code 2
|- UnsupportedFeature                   exit code 2; before any request
|- CallbackRejected
`- ProviderError                        all that may leave a provider
   |- NotTaken(retry_after)             surely nothing was taken: tried again
   |  |- Throttled                      429: also slows the pace of the whole account
   |  `- BatchRefused                   a request for several was refused as a whole: its halves are tried
   |- AccountProblem                    log-in, credit, wrong address: exit code 3
   `- MaybeTaken                        may have been taken: `unknown`
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import ClassVar


class ExitStatus(IntEnum):
    """What a command tells the shell."""

    DONE = 0
    PROBLEMS = 1  #: done, but messages were rejected, failed or are unknown; or paused or cancelled from elsewhere
    USAGE = 2  #: wrong usage, or input that cannot be used
    STOPPED = 3  #: stopped by the provider or by too many failures
    INTERRUPTED = 130  #: Ctrl-C or SIGTERM


class CampaignsError(Exception):
    """One thing that went wrong, for people: what (one sentence), where (file, sheet, row, column, line), how to mend.

    `also` holds further errors of the same kind that were found in the same place, such as all wrong keys of one file.
    """

    exit_status: ClassVar[ExitStatus] = ExitStatus.USAGE

    def __init__(self, what: str, *, where: str = "", fix: str = "", also: Sequence["CampaignsError"] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix
        self.also = tuple(also)


class InputError(CampaignsError):
    """A file, a text or an argument cannot be used."""


class SettingsError(CampaignsError):
    """A setting is missing or wrong: account, ledger, credentials."""


class UnsupportedFeature(CampaignsError):
    """The provider cannot do what was asked for."""


class CallbackRejected(CampaignsError):
    """A call to our door that did not prove who it is from."""


class ProviderError(CampaignsError):
    """A request to a provider did not end in a result for each message."""

    exit_status = ExitStatus.STOPPED


class NotTaken(ProviderError):
    """Surely nothing was taken; `retry_after` is the wait in seconds that the provider asked for."""

    def __init__(self, what: str, *, retry_after: float | None = None, where: str = "", fix: str = "") -> None:
        super().__init__(what, where=where, fix=fix)
        self.retry_after = retry_after


class Throttled(NotTaken):
    """The provider asks the whole account to wait (429)."""


class BatchRefused(NotTaken):
    """A request for several messages was refused as a whole (400, 413, 422): one of them may be the reason."""


class AccountProblem(ProviderError):
    """Log-in refused, no credit, wrong address: no message of this account can go."""


class MaybeTaken(ProviderError):
    """The request left, and nobody knows whether it was taken."""
