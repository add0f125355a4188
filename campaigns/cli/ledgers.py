"""What `campaigns db` shows."""

from dataclasses import asdict

from campaigns.cli.screen import Column, Screen, table
from campaigns.cli.session import Session
from campaigns.cli.statuses import relative
from campaigns.errors import ExitStatus
from campaigns.ledger.backup import Backup
from campaigns.ledger.checking import Soundness
from campaigns.ledger.maintenance import Upgrade, Vacuumed
from campaigns.wording import count, plural


def show_upgrade(upgrade: Upgrade, screen: Screen) -> None:
    """From which schema to which."""
    if upgrade.before is None:
        what = f"is new; its schema is {upgrade.after}."
    elif upgrade.before == upgrade.after:
        what = f"is up to date; its schema is {upgrade.after}."
    else:
        what = f"was brought from schema {upgrade.before} to {upgrade.after}."
    screen.show_folded(f"The ledger {upgrade.place} {what}")


def show_soundness(found: Soundness, place: str, session: Session, *, as_json: bool) -> ExitStatus:
    """What is wrong, or how much was looked through; the exit code says the same."""
    screen = session.screen
    if as_json:
        screen.show_json(asdict(found))
    elif found.faults:
        screen.show_folded(f"The ledger {place} is not sound.")
        screen.show("")
        faults = [(count(fault.count), fault.what) for fault in found.faults]
        screen.show(*table((Column("Count", figures=True), Column("What")), faults, screen.out))
    else:
        sizes = (plural(found.campaigns, "campaign"), plural(found.rows, "row"), plural(found.messages, "message"))
        screen.show_folded(f"The ledger {place} is sound: {', '.join(sizes)}.")
    if not found.faults:
        return ExitStatus.DONE
    screen.say("fix", "Send nothing from it, and go back to a sound backup: campaigns guide ledger")
    return ExitStatus.PROBLEMS


def show_vacuumed(vacuumed: Vacuumed, place: str, screen: Screen) -> None:
    """How much room was freed, and how much is taken."""
    freed = max(0, vacuumed.before - vacuumed.after)
    what = f"{_size(freed)} freed" if freed else "Nothing could be freed"
    screen.show_folded(f"{what}: the ledger {place} takes {_size(vacuumed.after)}.")


def show_backup(backup: Backup, screen: Screen) -> None:
    """Where the copy is, and what is different in it."""
    screen.show_folded(f"Backed up to {relative(backup.path)}, {_size(backup.size)}.")
    if backup.unknown:
        were = plural(backup.unknown, "message was", "messages were")
        screen.say(
            "note",
            f"{were} still to go. The copy holds what was still to go as unknown, for it may have been sent by the "
            "time you go back to it, and nobody is to be texted twice.",
        )
    screen.say("next", "campaigns guide ledger    how to go back to a backup")


def _size(size: int) -> str:
    """Bytes as "4.1 MB"."""
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.1f} kB"
