"""How a command ends when something is wrong: the one place where an error becomes words and an exit code."""

from typing import Final

import click

from campaigns.cli.screen import Screen
from campaigns.errors import CampaignsError, ExitStatus, InputError

MOST: Final = 10  #: errors of one place that are shown at once


def say_error(error: CampaignsError, screen: Screen) -> ExitStatus:
    """Say what happened, where, and what to type, and give the exit code."""
    errors = (error, *error.also)
    for one in errors[:MOST]:
        screen.err.say_error(one.what, one.where, one.fix)
    if len(errors) > MOST:
        screen.tell(f"and {len(errors) - MOST} more.")
    return error.exit_status


def from_system(error: OSError) -> CampaignsError:
    """A file that cannot be read or written, or a disk that is full."""
    place = f"{error.filename}: " if error.filename else ""
    return InputError(f"{place}{error.strerror or error}.")


def from_usage(error: click.ClickException) -> CampaignsError:
    """What click found wrong with the command line, in our words."""
    if isinstance(error, click.NoSuchOption):
        return _no_such_option(error)
    if isinstance(error, click.BadOptionUsage):
        return _option_without_value(error)
    if isinstance(error, click.MissingParameter):
        return _missing(error)
    if isinstance(error, click.BadParameter) and isinstance(error.param, click.Option):
        return _unfit(error, error.param)
    if isinstance(error, click.BadParameter) and error.param is not None:
        return InputError(f"{_name(error.param)}: {_sentence(error.message)}", fix=_see_help(error))
    return InputError(_sentence(error.message), fix=_see_help(error))


def _no_such_option(error: click.NoSuchOption) -> CampaignsError:
    command = error.ctx.command.name if error.ctx and error.ctx.parent else None
    what = f'"{command}" has no option {error.option_name}.' if command else f"There is no option {error.option_name}."
    near = error.possibilities[0] if error.possibilities else None
    return InputError(what, fix=f"{_as_typed(error, near)}. {_see_help(error)}" if near else _see_help(error))


def _as_typed(error: click.UsageError, name: str) -> str:
    """An option with its value as the help page shows it: "--region CODE"."""
    for param in error.ctx.command.params if error.ctx else ():
        if name in param.opts and isinstance(param, click.Option) and not param.is_flag and error.ctx:
            return f"{name} {param.make_metavar(error.ctx)}"
    return name


def _option_without_value(error: click.BadOptionUsage) -> CampaignsError:
    if "requires an argument" not in error.message:
        return InputError(f"{error.option_name} takes no value.", fix=_see_help(error))
    typed = _as_typed(error, error.option_name)
    return InputError(f"{error.option_name} needs a value.", fix=f"{typed}. {_see_help(error)}")


def _unfit(error: click.BadParameter, option: click.Option) -> CampaignsError:
    """A value that an option cannot take; click's own words for its types read like code."""
    name, kind = _name(option), option.type
    what = f"{name}: {_sentence(error.message)}"
    if isinstance(kind, click.Choice):
        what = f"{name} takes one of {', '.join(kind.choices)}."
    elif isinstance(kind, click.IntRange | click.FloatRange):
        number = "whole number" if isinstance(kind, click.IntRange) else "number"
        bounds = f"from {kind.min}" + ("" if kind.max is None else f" to {kind.max}")
        what = f"{name} takes a {number} {bounds}."
    elif kind is click.INT:
        what = f"{name} takes a whole number."
    return InputError(what, fix=_see_help(error))


def _missing(error: click.MissingParameter) -> CampaignsError:
    path = error.ctx.command_path if error.ctx else "campaigns"
    name = _name(error.param) if error.param else "a value"
    what = f'"{path.partition(" ")[2] or path}" needs {name}.'
    required = [param for param in error.ctx.command.params if param.required] if error.ctx else []
    typed = [
        _as_typed(error, param.metavar or "" if isinstance(param, click.Argument) else _name(param))
        for param in required
    ]
    return InputError(what, fix=f"{' '.join([path, *typed])}. {_see_help(error)}")


def _name(param: click.Parameter) -> str:
    if isinstance(param, click.Option):
        return max(param.opts, key=len)
    return (param.metavar or param.name or "").rstrip(".")


def _see_help(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "campaigns"
    return f"All options: {path} --help"


def _sentence(message: str) -> str:
    return message if message.endswith((".", "?")) else f"{message}."
