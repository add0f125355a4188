"""The account: every line in its place, and all of them adding up."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.cli.account import ORDER, account, of_campaign, reasons
from campaigns.model import COUNT_KEYS, CampaignState, CampaignStatus


def a_status(counts: dict[str, int], reasons_: dict[str, dict[str, int]] | None = None) -> CampaignStatus:
    whole = dict.fromkeys(COUNT_KEYS, 0) | counts
    whole["rows"] = sum(whole.values()) - whole["rows"]
    done = CampaignStatus(id=None, name="sommarrea", state=CampaignState.DONE, reason="", counts=whole)
    return replace(done, reasons=reasons_ or {}, account="kannel")


def shown(status: CampaignStatus, width: int = 80, reports_delivery: bool = True) -> list[str]:
    return [line.plain for line in account(of_campaign(status, reports_delivery=reports_delivery), width)]


def test_figure_word_and_meaning_stand_at_columns_9_12_and_25() -> None:
    skipped = {"duplicate": 214, "opted_out": 112, "invalid": 96, "not_mobile": 58, "missing": 84}
    status = a_status(
        {"skipped": 564, "delivered": 10_941, "rejected": 38, "accepted": 830, "unknown": 5},
        {"skipped": skipped, "rejected": {"number_blocked": 7, "sender_not_allowed": 31}},
    )
    assert shown(status) == [
        "   12,378  rows",
        "      564  skipped      duplicate 214, opted_out 112, invalid 96, 2 more",
        "   10,941  delivered    92.6 % of 11,814 messages, so far",
        "       38  rejected     sender_not_allowed 31, number_blocked 7",
        "      830  accepted     the provider has them; delivery is still open",
        "        5  unknown      may have been taken; not sent again by themselves",
    ]


@pytest.mark.parametrize(
    ("figure", "words"),
    [(1, "the provider has it; kannel does not report delivery"), (2, "the provider has them; kannel does not report")],
)
def test_a_provider_that_does_not_report_delivery_is_named(figure: int, words: str) -> None:
    assert words in " ".join(shown(a_status({"accepted": figure}), reports_delivery=False))


def test_one_unknown_is_spoken_of_in_the_singular() -> None:
    assert shown(a_status({"unknown": 1}))[-1].endswith("not sent again by itself")


@given(st.fixed_dictionaries({key: st.integers(0, 10**7) for key in COUNT_KEYS if key != "rows"}))
def test_the_lines_under_rows_add_up_to_rows(counts: dict[str, int]) -> None:
    figures = [int(line.split()[0].replace(",", "")) for line in shown(a_status(counts), width=1000)]
    assert figures[0] == sum(figures[1:])


def test_every_key_of_the_counts_has_its_place() -> None:
    assert set(COUNT_KEYS) <= set(ORDER)


def test_on_a_narrow_screen_the_meaning_folds_behind_itself_and_then_goes() -> None:
    status = a_status({"unknown": 5})
    assert shown(status, width=45)[1:] == [
        "        5  unknown      may have been taken;",
        "                        not sent again by",
        "                        themselves",
    ]
    assert shown(status, width=30)[1:] == ["        5  unknown"]


def test_more_than_three_reasons_are_counted() -> None:
    assert reasons({"a": 1, "b": 2, "c": 3}) == "c 3, b 2, a 1"
    assert reasons({"a": 1, "b": 2, "c": 3, "d": 1, "e": 1}) == "c 3, b 2, a 1, 2 more"
