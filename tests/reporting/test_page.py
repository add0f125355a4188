"""The page opens offline, shows only what there is, masks numbers and takes nothing from a file for markup."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.reporting import ReportFacts
from campaigns.reporting.figures import SHOWN_ROWS

VOID = {"meta", "rect", "line", "polyline", "col"}  # rect and its like close themselves
EVIL = "</style></script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


class Balanced(HTMLParser):
    """Reads a page, keeps its text by tag, and fails on a tag that is not closed in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.headings: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "h2":
            self.headings.append(data.strip())
        if "style" not in self.open:
            self.text.append(data)


@pytest.fixture
def show(tmp_path: Path, write: Any) -> Any:
    """Write a page and read it: (source, parsed)."""

    def show_page(rows: Any, columns: Any = (), facts: Any = None, **given: Any) -> tuple[str, Balanced]:
        write([tmp_path / "a.html"], rows, columns, facts, **given)
        source = (tmp_path / "a.html").read_text(encoding="utf-8")
        page = Balanced()
        page.feed(source)
        page.close()
        assert page.open == []
        return source, page

    return show_page


def words(page: Balanced) -> str:
    return " ".join(" ".join(page.text).split())


def test_the_page_needs_nothing_from_outside(show: Any, some_rows: Any) -> None:
    source, page = show(some_rows, ["namn", "ort"])
    assert not re.search(r"https?:|//[a-z]|@import|url\((?!#)", source)
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert {name for name, _ in page.attributes} <= {
        *("lang", "charset", "name", "content", "class", "style", "scope", "id", "role", "tabindex", "colspan"),
        *("width", "height", "viewbox", "x", "y", "x1", "x2", "y1", "y2", "points", "data-k"),
        *("aria-label", "aria-hidden", "preserveaspectratio", "patternunits", "patterntransform"),
    }


def test_it_follows_the_readers_light_or_dark_and_has_a_print_style(show: Any, some_rows: Any) -> None:
    source, _ = show(some_rows, ["namn", "ort"])
    assert "prefers-color-scheme: dark" in source
    assert "@media print" in source
    assert "max-width: 760px" in source


def test_figures_are_the_rows(show: Any, some_rows: Any) -> None:
    _, page = show(some_rows, ["namn", "ort"])
    text = words(page)
    assert "2 of 5 messages were accepted by the provider: 40.0 %." in text
    assert "7 rows = 2 skipped + 5 messages; messages = 2 accepted + 1 not delivered + 1 unknown + 1 not sent." in text


@pytest.mark.parametrize("field", ["name", "source", "sender", "account", "created_by"])
def test_nothing_that_a_user_typed_becomes_markup(field: str, show: Any, some_rows: Any) -> None:
    source, page = show(some_rows, ["namn", "ort"], **{field: EVIL})
    assert "<script" not in source
    assert "img" not in page.tags
    assert EVIL in words(page)


def test_nothing_from_the_file_becomes_markup(show: Any, make_row: Any) -> None:
    fields = dict.fromkeys(("phone", "reason", "detail", "text"), EVIL)
    rows = [make_row(2, "rejected", cells=(EVIL,), **fields), make_row(3, "skipped", cells=("",), **fields)]
    facts = ReportFacts(phone_column=EVIL, region=EVIL, command=EVIL, rate=EVIL, purpose=EVIL)
    source, page = show(rows, [EVIL], facts)
    assert "<script" not in source
    assert "img" not in page.tags


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("<>&\"'\\{}%"), min_size=1)
)
def test_any_text_is_shown_as_it_is(text: str, show: Any, make_row: Any) -> None:
    _, page = show([make_row(text=text)], name=text)
    assert "".join(page.text).count(text) >= 2


def test_numbers_are_masked(show: Any, some_rows: Any) -> None:
    source, page = show(some_rows, ["namn", "ort"])
    assert not re.search(r"701740|070-174 06 \d", source)
    assert "+46*******02" in words(page)
    assert "07*-*** 06" in words(page)


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        (
            "+46701740605 (0046701740605) is blocked since row 1048575",
            "+46*******05 (00*********05) is blocked since row 1048575",
        ),
        ("070-174 06 05 is blocked since 2026-08-13", "07*-*** ** 05 is blocked since 2026-08-13"),
        ("+46 70 174 06 05 is blocked", "+46 ** *** ** 05 is blocked"),
    ],
)
def test_a_number_that_the_provider_repeats_is_masked_too(show: Any, make_row: Any, detail: str, shown: str) -> None:
    _, page = show([make_row(2, "rejected", detail=detail)])
    assert shown in words(page)


def test_problems_come_first_and_at_most_a_thousand_rows(show: Any, make_row: Any) -> None:
    rows = [make_row(n) for n in range(2, 1502)]
    rows += [make_row(1502, "skipped", reason="missing", detail="seen"), make_row(1503, "rejected", detail="found")]
    source, page = show(rows)
    listed = source.split('<div class="rows"')[1].split("</table>")[0]
    assert listed.count("<tr>") == SHOWN_ROWS + 1
    assert listed.index("found") < listed.index("seen") < listed.index(">accepted<")
    assert "1,000 of 1,502 rows, problems first." in words(page)


@pytest.mark.parametrize(
    ("statuses", "present", "absent"),
    [
        ("accepted accepted", {"Over time", "Segments"}, {"Problems, and what to do", "By country"}),
        ("skipped", {"Problems, and what to do"}, {"Over time", "Segments", "What people received"}),
        ("delivered delivered", {"Time from sending to delivery", "From rows to delivered"}, {"By country"}),
        ("planned", {"What people would receive"}, {"Over time", "Time from sending to delivery"}),
        ("", set(), {"Rows", "Over time", "Segments", "Outcome by reason", "Problems, and what to do"}),
    ],
)
def test_only_sections_with_something_to_show_are_there(
    statuses: str, present: set[str], absent: set[str], show: Any, make_row: Any
) -> None:
    rows = [
        make_row(n, status, reason="invalid" * (status == "skipped")) for n, status in enumerate(statuses.split(), 2)
    ]
    _, page = show(rows)
    assert present <= set(page.headings)
    assert not absent & set(page.headings)


def test_nothing_is_said_of_cost(show: Any, some_rows: Any) -> None:
    _, page = show(some_rows, ["namn", "ort"])
    assert not re.search(r"\b(cost|SEK|EUR)\b", words(page))


def test_a_check_says_that_nothing_was_sent(show: Any, make_row: Any) -> None:
    rows = [make_row(2, "ready"), make_row(3, "skipped", reason="missing")]
    _, page = show(rows, id=None, state=None)
    assert "1 of 2 rows is ready to send: 50.0 %. 1 would be skipped. Nothing was sent." in words(page)
    assert "To quote" not in words(page)


def test_the_sandbox_is_named_and_never_quoted(show: Any, some_rows: Any) -> None:
    source, page = show(some_rows, ["namn", "ort"], ReportFacts(sandbox=True))
    assert "Campaign report. Sandbox: nothing left this machine" in words(page)
    assert "sandbox: nothing left this machine" in source.split("@page")[1].split("</style>")[0]
    assert "To quote" not in words(page)


def test_times_are_local_with_their_zone(show: Any, make_row: Any) -> None:
    first = datetime(2026, 8, 13, 8, 0, tzinfo=UTC)
    facts = ReportFacts(zone="Europe/Stockholm")
    _, page = show([make_row()], (), facts, first_sent_at=first, last_sent_at=first + timedelta(minutes=10))
    assert "Thursday 13 August 2026, 10:00:00 to 10:10:00 Europe/Stockholm, UTC+2" in words(page)


def test_a_campaign_name_in_the_print_footer_cannot_leave_its_string(show: Any) -> None:
    source, _ = show([], name='a"; } body { display: none } /*\\')
    footer = source.split('@bottom-left { content: "')[1].split('"; font')[0]
    assert '"' not in footer
    assert "{" not in footer
