"""A campaign file says what to send; every wrong key is named with its line and its right spelling."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from campaigns.campaign import Campaign, RecipientsSource
from campaigns.campaign_keys import CAMPAIGN_SHAPE, CampaignKeys, check_campaign
from campaigns.errors import InputError
from campaigns.model import Rate

WriteCampaign = Callable[[str], Path]

EVERY_KEY = """\
name = "Summer sale"
purpose = "marketing"
provider = "soluno"
from = "Butiken"
rate = "600/min"
concurrency = 8
message = "Hej {{ förnamn }}! Din kod: {{ kod }}"
on_empty = "skip"
not_within = "36 h"
reports = ["reports/summer.csv"]
max_failures = 0

[recipients]
file = "customers.csv"
sheet = "Blad1"
phone_column = "Mobilnummer"
region = "no"
encoding = "cp1252"
where = 'ort == "Lund"'
"""


@pytest.fixture
def write(tmp_path: Path) -> WriteCampaign:
    """Writes lista.toml beside customers.csv and text.txt."""
    (tmp_path / "customers.csv").write_text("mobil\n0701740605\n", encoding="utf-8")
    (tmp_path / "text.txt").write_text("Hej!\n", encoding="utf-8")

    def write(toml: str) -> Path:
        path = tmp_path / "lista.toml"
        path.write_text(toml, encoding="utf-8")
        return path

    return write


def errors_of(path: Path, **options: object) -> list[InputError]:
    """All errors that loading raises."""
    with pytest.raises(InputError) as caught:
        Campaign.load(path, **options)  # type: ignore[arg-type]  # wrong options are what some tests are about
    return [caught.value, *(error for error in caught.value.also if isinstance(error, InputError))]


def only_error_of(path: Path, **options: object) -> tuple[str, str, str]:
    """What, where and how to mend, of the one error that loading raises."""
    (error,) = errors_of(path, **options)
    return error.what, error.where, error.fix


# --- What is read ------------------------------------------------------------------------------------------


def test_every_key_of_a_campaign_file_reaches_the_campaign(write: WriteCampaign, tmp_path: Path) -> None:
    path = write(EVERY_KEY)
    assert Campaign.load(path) == Campaign(
        name="Summer sale",
        purpose="marketing",
        provider="soluno",
        sender="Butiken",
        rate=Rate(10.0),
        concurrency=8,
        message="Hej {{ förnamn }}! Din kod: {{ kod }}",
        on_empty="skip",
        not_within=timedelta(hours=36),
        reports=(Path("reports/summer.csv"),),
        max_failures=0,
        file=path,
        recipients=RecipientsSource(
            tmp_path / "customers.csv",
            sheet="Blad1",
            phone_column="Mobilnummer",
            region="NO",
            encoding="cp1252",
            where='ort == "Lund"',
        ),
    )


def test_recipients_may_be_the_file_alone_and_all_else_has_a_default(write: WriteCampaign, tmp_path: Path) -> None:
    path = write('recipients = "customers.csv"')
    assert Campaign.load(path) == Campaign(recipients=tmp_path / "customers.csv", file=path)


def test_a_recipient_file_is_a_source_too(write: WriteCampaign, tmp_path: Path) -> None:
    write("")
    campaign = Campaign.load(tmp_path / "customers.csv")
    assert (campaign.recipients.file, campaign.message) == (tmp_path / "customers.csv", None)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"Hej!\n", "Hej!"),
        (b"\xef\xbb\xbfHej!", "Hej!"),
        (b"Hej!\r\nHej d\xc3\xa5!\r\n\r\n", "Hej!\nHej då!\n"),
    ],
)
def test_a_message_file_loses_its_mark_and_one_line_end(
    write: WriteCampaign, tmp_path: Path, data: bytes, text: str
) -> None:
    path = write('recipients = "customers.csv"\nmessage_file = "text.txt"')
    (tmp_path / "text.txt").write_bytes(data)
    campaign = Campaign.load(path)
    assert (campaign.message, campaign.places["message"]) == (text, "text.txt")


def test_paths_in_a_file_start_at_the_file_and_paths_in_options_at_the_current_folder(
    write: WriteCampaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write('recipients = "customers.csv"\nmessage_file = "text.txt"\nreports = ["a.csv"]')
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "text.txt").write_text("From here", encoding="utf-8")
    monkeypatch.chdir(tmp_path / "here")
    campaign = Campaign.load(Path("..") / path.name, message_file="text.txt", report=["b.csv"])
    assert campaign.message == "From here"
    assert campaign.recipients.file == Path("../customers.csv")
    assert campaign.reports == (Path("a.csv"), Path("b.csv"))
    assert Campaign.load(path).message == "Hej!"


@pytest.mark.parametrize(
    ("options", "name", "value"),
    [
        ({"from_": "72456"}, "sender", "72456"),
        ({"rate": "5/s"}, "rate", Rate(5)),
        ({"rate": Rate(0.3)}, "rate", Rate(0.3)),
        ({"name": " Höst "}, "name", "Höst"),
        ({"not_within": "7 days"}, "not_within", timedelta(days=7)),
        ({"concurrency": 512}, "concurrency", 512),
        ({"message": "Kort"}, "message", "Kort"),
        ({"report": "b.csv"}, "reports", (Path("reports/summer.csv"), Path("b.csv"))),
        ({"reports": (Path("b.csv"),)}, "reports", (Path("reports/summer.csv"), Path("b.csv"))),
        ({"provider": None}, "provider", "soluno"),
    ],
)
def test_an_option_wins_over_the_key_and_none_says_nothing(
    write: WriteCampaign, options: dict[str, object], name: str, value: object
) -> None:
    campaign = Campaign.load(write(EVERY_KEY), **options)  # type: ignore[arg-type]  # one of several types
    assert getattr(campaign, name) == value


@pytest.mark.parametrize("name", ["sheet", "phone_column", "region", "encoding", "where"])
def test_an_option_wins_over_a_key_of_the_recipients(write: WriteCampaign, name: str) -> None:
    value = {"region": "DK", "encoding": "utf-8"}.get(name, "other")
    campaign = Campaign.load(write(EVERY_KEY), **{name: value})  # type: ignore[arg-type]  # a text for each
    assert getattr(campaign.recipients, name) == value
    assert f"recipients.{name}" not in campaign.places


@pytest.mark.parametrize(
    ("key", "option"), [("message", "message_file"), ("message_file", "message"), ("message", "message")]
)
def test_a_text_by_option_replaces_the_text_of_the_file_however_it_was_given(
    write: WriteCampaign, tmp_path: Path, key: str, option: str
) -> None:
    path = write(f'recipients = "customers.csv"\n{key} = "gone.txt"')
    new = str(tmp_path / "text.txt") if option == "message_file" else "Hej!"
    campaign = Campaign.load(path, **{option: new})  # type: ignore[arg-type]  # a text for each
    assert campaign.message == "Hej!"


def test_each_key_keeps_its_line_for_the_errors_of_later_stages(write: WriteCampaign) -> None:
    places = Campaign.load(write(EVERY_KEY)).places
    assert places["message"] == "lista.toml, line 7"
    assert places["recipients.where"] == "lista.toml, line 19"


@pytest.mark.parametrize(
    ("toml", "key", "line"),
    [
        ('name = """\nfrom = "x"\n"""\nfrom = "B"', "from", 4),
        ("name = '''a'''''\nfrom = 'B'", "from", 2),
        ('reports = [\n "a", # from = "x"\n\n "b" ]\n\n"from" = "B"', "from", 6),
        ('# from = ""\n\r\n  from\t= "B"', "from", 3),
        ('message = "a\\"\\\\" # "\nfrom = "B"', "from", 2),
        ('[recipients]\nfile = "customers.csv"\n\n where="x"', "recipients.where", 4),
        ('\nrecipients = { file = "customers.csv", where = "x" }', "recipients.where", 2),
        ('recipients.file = "customers.csv"\nrecipients.where = "x"', "recipients.where", 2),
        ('\n[ recipients ]\n"file" = "customers.csv"', "recipients", 2),
    ],
)
def test_the_line_of_a_key_is_found_in_all_ways_of_writing_it(
    write: WriteCampaign, toml: str, key: str, line: int
) -> None:
    path = write(toml if "customers.csv" in toml else f'{toml}\nrecipients = "customers.csv"')
    assert Campaign.load(path).places[key] == f"lista.toml, line {line}"


# --- Wrong keys --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "what", "fix"),
    [
        ('recipents = "x"', '"recipents" is no setting of a campaign.', 'Write "recipients".'),
        ('Message_File = "x"', '"Message_File" is no setting of a campaign.', 'Write "message_file".'),
        (
            'phone_column = "Mobil"',
            '"phone_column" stands at the top, but belongs under [recipients].',
            "Write it below a line [recipients].",
        ),
        ('fone_column = ""', '"fone_column" is no setting of a campaign.', 'Write "phone_column", under [recipients].'),
        ('recipients.concurrency = 3', '"concurrency" stands under [recipients], but belongs at the top.',
         "Write it above the line [recipients]."),
        ("rate = 50", '"rate" is a number, but must be a text in quotes.', 'Write rate = "50/s"'),
        ("not_within = 24", '"not_within" is a number, but must be a text in quotes.', 'Write not_within = "24h"'),
        ('not_within = "24"', '"24" is no length of time.', "Write 30min, 24h or 7 days."),
        ('rate = "fast"', '"fast" is no rate.', "Write 50/s, 600/min or 3600/h."),
        (
            "concurrency = true",
            '"concurrency" is true or false, but must be a whole number.',
            "Write concurrency = 128",
        ),
        ('concurrency = "8"', '"concurrency" is a text, but must be a whole number.', "Write concurrency = 128"),
        ("concurrency = 513", "513 requests at once are not possible.", "Write a number from 1 to 512."),
        ("max_failures = -1", "-1 failures cannot be counted.", "Write max_failures = 25, or 0 to never pause."),
        ('reports = "a.csv"', '"reports" is a text, but must be a list of texts.',
         'Write reports = ["reports/summer.csv"]'),
        ("reports = [3]", '"reports" is a number, but must be a text in quotes.',
         'Write reports = ["reports/summer.csv"]'),
        ('on_empty = "sned"', '"on_empty" cannot be "sned".', 'Write "send".'),
        ('purpose = "advert"', '"purpose" cannot be "advert".', 'Write "service" or "marketing".'),
        ("purpose = 1", '"purpose" is a number, but must be a text in quotes.', 'Write purpose = "marketing"'),
        ("name = 2026-12-24", '"name" is a date or time, but must be a text in quotes.', 'Write name = "Summer sale"'),
        ('name = ""', '"" cannot be the name of a campaign: it is empty.', 'Write name = "Summer sale"'),
        ('name = "123"', '"123" cannot be the name of a campaign: digits alone are the id of a campaign.',
         'Write name = "Summer sale"'),
        ('name = "-x"', '"-x" cannot be the name of a campaign: a command would misread the - it begins with.',
         'Write name = "Summer sale"'),
        ('name = "a/b"', '"a/b" cannot be the name of a campaign: it names files too, so it cannot hold / or \\.',
         'Write name = "Summer sale"'),
        ('name = "a\\u0000b"', "This cannot be the name of a campaign: it holds a character that cannot be seen.",
         'Write name = "Summer sale"'),
        ('message = " \\n"', "The text of the message is empty.", 'Write message = "Vi ses kl. 18."'),
        ('message = "a\\u0000b"', "A value holds a NUL character.", "Take \\u0000 out."),
        ('reports = ["a\\u0000.csv"]', "A value holds a NUL character.", "Take \\u0000 out."),
        ('provider = ""', '"provider" is empty.', 'Write provider = "soluno", or leave it out.'),
        ('recipients.region = "Sverige"', '"Sverige" is no region.', 'Write the ISO code of a country: region = "SE"'),
        ('recipients.encoding = "latin-99"', '"latin-99" is no encoding that is known.',
         'Write "utf-8" or "cp1252", or leave it to be found.'),
        ("recipients.where = true", '"where" under [recipients] is true or false, but must be a text in quotes.',
         "Write where = 'ort == \"Lund\"'"),
    ],
)  # fmt: skip
def test_a_wrong_key_is_named_with_its_line_and_what_would_be_right(
    write: WriteCampaign, line: str, what: str, fix: str
) -> None:
    path = write(f'recipients.file = "customers.csv"\n\n{line}\n')
    assert only_error_of(path) == (what, "lista.toml, line 3", fix)


def test_all_wrong_keys_are_said_at_once(write: WriteCampaign) -> None:
    path = write('rate = 1\nfrm = "B"\nmessage_file = "txt"\non_empty = "x"\nrecipients = "custmers.csv"\n')
    assert sorted(error.where for error in errors_of(path)) == [f"lista.toml, line {line}" for line in range(1, 6)]


def test_of_many_wrong_keys_ten_are_said(write: WriteCampaign) -> None:
    path = write("".join(f"x{number} = 1\n" for number in range(30)))
    assert len(errors_of(path)) == 10


def test_a_campaign_without_recipients_says_how_to_name_them(write: WriteCampaign) -> None:
    assert only_error_of(write('name = "x"')) == ('"recipients" is missing.', "", 'Write recipients = "customers.csv"')
    assert only_error_of(write('\n[recipients]\nregion = "SE"')) == (
        '"file" is missing under [recipients].', "lista.toml, line 2", 'Write file = "customers.csv"',
    )  # fmt: skip


def test_two_texts_in_one_file_are_an_error(write: WriteCampaign) -> None:
    what, where, _ = only_error_of(write('message = "x"\nmessage_file = "text.txt"\nrecipients = "customers.csv"'))
    assert (what, where) == ("Both message and message_file are given.", "lista.toml, line 2")


@pytest.mark.parametrize(
    ("toml", "what", "line", "fix"),
    [
        ('recipients = "custmers.csv"', "custmers.csv does not exist.", 1, 'Write recipients = "customers.csv"'),
        ('[recipients]\nfile = "custmers.csv"', "custmers.csv does not exist.", 2, 'Write file = "customers.csv"'),
        ('[recipients]\nfile = "nowhere/x.csv"', "nowhere/x.csv does not exist.", 2, ""),
        ('message_file = "txt.txt"\nrecipients = "customers.csv"', "txt.txt does not exist.", 1,
         'Write message_file = "text.txt"'),
        ('recipients = "."', ". is a folder, not a file.", 1, ""),
    ],
)  # fmt: skip
def test_a_missing_file_is_named_with_its_line_and_the_nearest_name(
    write: WriteCampaign, toml: str, what: str, line: int, fix: str
) -> None:
    assert only_error_of(write(toml)) == (what, f"lista.toml, line {line}", fix)


@pytest.mark.parametrize("name", ["x" * 999, "a\\u0000b/c"])
def test_a_name_that_no_file_can_have_is_an_error_in_words(write: WriteCampaign, name: str) -> None:
    assert only_error_of(write(f'recipients = "{name}.csv"'))[1] == "lista.toml, line 1"


def test_an_empty_message_file_is_the_place_of_the_error(write: WriteCampaign, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("\n", encoding="utf-8")
    what, where, _ = only_error_of(write('recipients = "customers.csv"\nmessage_file = "text.txt"'))
    assert (what, where) == ("The text of the message is empty.", "text.txt")


@pytest.mark.parametrize("name", ["lista.toml", "text.txt"])
def test_a_file_that_is_not_utf8_is_said_with_its_line(write: WriteCampaign, tmp_path: Path, name: str) -> None:
    path = write('recipients = "customers.csv"\nmessage_file = "text.txt"')
    (tmp_path / name).write_bytes(b'message = "\n\xe5"')
    what, where, _ = only_error_of(path)
    assert what.endswith(f"{name} is not UTF-8, so its letters cannot be told.")
    assert where == f"{name}, line 2"


@pytest.mark.parametrize(
    ("toml", "words", "line", "column"),
    [
        ("\nfrom = Butiken", "a value is missing or has no quotes", 2, 8),
        ("from = “Butiken”", "a value is missing or has no quotes", 1, 8),
        ('message = "Hej\nda"', "a quote is not closed in its line", 1, 15),
        ('message = """Hej\nda', "a quote is not closed", 2, 3),
        ("message 'Hej'", 'a "=" is missing after the key', 1, 9),
        ('reports = ["a.csv"\n', "a list is not closed", 1, 19),
        ('name = "a"\nname = "b"\n', "the same key or table stands here a second time", 2, 11),
        ('file = "C:\\Users\\x.csv"', "a backslash stands in a text", 1, 13),
        ("message = 'It's'", "something stands after the value", 1, 15),
        ("namn på = 3", 'a "=" is missing after the key', 1, 6),
        ("[recipients", "a table header is not closed", 1, 12),
    ],
)
def test_a_slip_in_the_toml_is_said_in_plain_words_with_line_and_column(
    write: WriteCampaign, toml: str, words: str, line: int, column: int
) -> None:
    what, where, fix = only_error_of(write(toml))
    assert what == f"lista.toml cannot be read as TOML: {words}."
    assert where == f"lista.toml, line {line}, column {column}"
    assert fix


def test_a_source_that_is_missing_or_of_another_kind_says_what_is_accepted(
    write: WriteCampaign, tmp_path: Path
) -> None:
    write("")
    (tmp_path / "brev.docx").touch()
    accepted = "Give a campaign file (.toml) or a recipient file (.csv .tsv .txt .xlsx .xlsm .xlsb .xls .ods)."
    near = (tmp_path / "customers.csv").as_posix()
    assert only_error_of(tmp_path / "customers.cvs")[2] == f"Give {near}."
    assert only_error_of(tmp_path / "quite-another")[2] == accepted
    what, _, fix = only_error_of(tmp_path / "brev.docx")
    assert (what, fix) == (f"{tmp_path / 'brev.docx'} is neither a campaign file nor a recipient file.", accepted)


def test_a_wrong_option_has_no_line_but_the_same_words(write: WriteCampaign) -> None:
    path = write(EVERY_KEY)
    assert only_error_of(path, rate="fast") == ('"fast" is no rate.', "", "Write 50/s, 600/min or 3600/h.")
    assert only_error_of(path, region="Sweden")[:2] == ('"Sweden" is no region.', "")
    assert only_error_of(path, reigon="SE")[0] == '"reigon" is no setting of a campaign.'


def test_a_report_in_place_of_the_list_or_the_campaign_file_is_refused(write: WriteCampaign, tmp_path: Path) -> None:
    path = write(f'recipients = "customers.csv"\nreports = ["a.csv", "{tmp_path.as_posix()}/./customers.csv"]')
    what, where, fix = only_error_of(path)
    assert what.endswith("customers.csv is what the campaign is read from, so no report can be written there.")
    assert (where, fix.rpartition("/")[2]) == ("lista.toml, line 2", "customers-report.csv")
    with pytest.raises(InputError, match="is what the campaign is read from"):
        Campaign.load(tmp_path / "customers.csv").check_reports([tmp_path / "customers.csv"])


# --- A campaign made in Python -----------------------------------------------------------------------------


@pytest.mark.parametrize("sender", ["Butiken", "A-B_C & Co.", "Åhléns", "3Tre", "123", "72456789", "+46701740605"])
def test_a_sender_may_be_a_word_a_short_code_or_a_number(sender: str) -> None:
    assert Campaign(recipients="x.csv", sender=sender).sender == sender


@pytest.mark.parametrize(
    ("sender", "why"),
    [
        ("Lindbergs Konditori", "it has 19 characters, and 11 are the most"),
        ("Zoë", "it holds ë"),
        ("Butik♥", "it holds ♥"),
        ("  ", "it is empty"),
        ("-.-", "it has no letter"),
        ("0701740605", "a number needs its country code, a short code has 3 to 8 digits"),
        ("+46 70 174 06 05", "a number needs its country code, a short code has 3 to 8 digits"),
        ("12", "a number needs its country code, a short code has 3 to 8 digits"),
    ],
)
def test_a_sender_that_networks_refuse_is_an_error_that_says_why(sender: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        Campaign(recipients="x.csv", sender=sender)


def test_a_campaign_made_in_python_checks_itself() -> None:
    with pytest.raises(InputError) as caught:
        Campaign(recipients="x.csv", concurrency=0, max_failures=-1, message="")
    assert len(caught.value.also) == 2


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("sommarrea.csv", "sommarrea"),
        ("20261224.csv", "campaign-20261224"),
        ("a\\b\x07.csv", "a-b-"),
        ("ra\u0308kna.csv", "räkna"),
        (f"{'x' * 200}.csv", "x" * 90),
    ],
)
def test_the_default_name_is_the_stem_made_fit_for_a_name(file: str, name: str) -> None:
    campaign = Campaign(recipients=file)
    assert (campaign.default_name, campaign.given_name) == (name, None)
    assert Campaign(recipients="x.csv", name=name).given_name == name


def test_a_campaign_file_gives_its_own_stem_as_the_default_name(write: WriteCampaign) -> None:
    assert Campaign.load(write('recipients = "customers.csv"')).default_name == "lista"


def test_the_settings_of_a_campaign_are_json_under_the_keys_of_a_campaign_file(write: WriteCampaign) -> None:
    settings = json.loads(json.dumps(Campaign.load(write(EVERY_KEY)).settings()))
    keys = check_campaign(settings, {})
    assert (keys.sender, keys.rate, keys.recipients.region) == ("Butiken", Rate(10.0), "NO")
    assert None not in settings.values()


def test_the_words_for_errors_know_every_key_of_a_campaign() -> None:
    keys = {field.alias or name for name, field in CampaignKeys.model_fields.items()}
    assert set(CAMPAIGN_SHAPE.examples[""]) == keys
    table = CampaignKeys.model_fields["recipients"].annotation
    assert table is not None
    assert set(CAMPAIGN_SHAPE.examples["recipients"]) == set(table.model_fields)


def test_reading_a_campaign_needs_no_pandas() -> None:
    code = "import sys, campaigns.campaign; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
