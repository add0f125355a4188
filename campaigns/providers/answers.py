"""What the answer to a request means, by its status: the same for all of our providers."""

from collections.abc import Mapping, Sequence
from typing import Final

from yarl import URL

from campaigns.errors import AccountProblem, BatchRefused, MaybeTaken, NotTaken, ProviderError, Throttled
from campaigns.model import Message, Submission
from campaigns.providers.exchange import Reply, read_json, read_text
from campaigns.settings import Account

REFUSED: Final = frozenset({400, 413, 422})  # the request as such: one of its numbers, or its length
ACCOUNT_PROBLEMS: Final = {
    401: "does not take the token that it has just given",
    402: "has no credit left for this account",
    403: "does not let this user send texts",
}
WRONG_ADDRESS: Final = frozenset({*range(300, 400), 404, 405})  # no redirect is followed: a client makes a POST a GET


def submissions(
    batch: Sequence[Message], reply: Reply, said: Mapping[str, Submission] | None, account: Account
) -> list[Submission]:
    """What a success says of each message, by number.

    `said` is what stands in its body of each number; None where it is no body that we know: all are then accepted, for
    that a success is a success is all that is certain.
    """
    if said is None:
        if not reply.whole:
            raise MaybeTaken("the answer was cut short")
        return [Submission(number=message.number, accepted=True) for message in batch]
    found = [said.get(message.number) for message in batch]
    if not any(found):
        raise MaybeTaken(f"{account.name} answered for none of the numbers")
    return [one or _unanswered(message) for one, message in zip(found, batch, strict=True)]


def refusal(batch: Sequence[Message], reply: Reply, account: Account) -> list[Submission]:
    """What a refused request says of its one message; of several its parts may be tried, so that it is an error."""
    if len(batch) > 1:
        raise BatchRefused(f"{account.name} refused the request as a whole ({reply.status})")
    answer = read_json(reply.body)
    said = answer if isinstance(answer, dict) else {}
    return [
        Submission(
            number=batch[0].number,
            accepted=False,
            code=read_text(said.get("error")) or f"http_{reply.status}",
            reason=read_text(said.get("error_description")) or f"the request was refused ({reply.status})",
        )
    ]


def no_success(reply: Reply, account: Account, sought: str, url: URL) -> ProviderError:
    """What an answer means that is neither a success nor a refusal; `sought` is what should have been at `url`."""
    name = account.name
    if reply.status in WRONG_ADDRESS:
        return wrong_address(reply, account, sought, url, "url")
    if what := ACCOUNT_PROBLEMS.get(reply.status):
        fix = f"Ask {name} about this account, then: campaigns providers check {name}"
        return AccountProblem(f"{name} {what} ({reply.status}).", fix=fix)
    return passing(reply, account) or MaybeTaken(f"{name} answered {reply.status}")


def passing(reply: Reply, account: Account) -> NotTaken | None:
    """The two answers that say: nothing was taken, come again."""
    name, wait_s = account.name, reply.retry_after
    if reply.status == 429:
        asked = f" with Retry-After: {wait_s:.0f}" if wait_s is not None else ""
        return Throttled(f"{name} answered 429{asked}", retry_after=wait_s)
    if reply.status == 503:
        return NotTaken(f"{name} answered 503", retry_after=wait_s)
    return None


def wrong_address(reply: Reply, account: Account, sought: str, url: URL, field: str) -> AccountProblem:
    """What was sought is not there; `field` is the setting that mends it."""
    return AccountProblem(
        f"{account.name} has no {sought} at {url.with_user(None).with_query(None)} ({reply.status}).",
        fix=account.how_to_set(field, secret=False),
    )


def _unanswered(message: Message) -> Submission:
    return Submission(number=message.number, accepted=None, error=MaybeTaken("no answer for this number"))
