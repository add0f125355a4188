"""What a text may say: Jinja's sandbox, with limits, and with our meaning of an empty field."""

import re
from collections.abc import Collection, Iterable
from typing import Any, Final

from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined, nodes
from jinja2.filters import do_format
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from campaigns.messages.segments import LONGEST_TEXT

DEFAULT_FILTERS: Final = frozenset({"default", "d"})
_READABLE: Final = (str, int, float, Undefined)
_LARGEST_POWER: Final = (1_000_000, 16)  #: base and exponent

_NO_TAGS: Final = {  # they need files, would let one text call itself, or make a web page
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "from",
    nodes.Extends: "extends",
    nodes.Block: "block",
    nodes.Macro: "macro",
    nodes.CallBlock: "call",
    nodes.ScopedEvalContextModifier: "autoescape",
}

_NO_FILTERS: Final = frozenset(
    {"batch", "center", "indent", "slice", "tojson"}  # fill up to any length
    | {"random"}  # would send another text than the one that was checked
)
_NO_METHODS: Final = frozenset(  # the same, or a way around
    {"center", "encode", "expandtabs", "format", "format_map", "ljust", "rjust", "to_bytes", "zfill"}
)
_LONG_FIELD: Final = re.compile(r"%(\(.*?\))?[-+ #0]*(\d{4}|\*|\d*\.(\d{4}|\*))")  #: such as "%1000s" or "%.*f"


class TextTooLong(Exception):
    """A text is longer than any message can be."""


class NoText(Exception):
    """A field in a text stands for a list or a function: nothing that a person could read."""


class TextEnvironment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox for one text; `names` are the fields, which win over Jinja's own names."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self, names: Collection[str]) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=False, finalize=readable, cache_size=0)
        self.globals = {name: value for name, value in self.globals.items() if name == "range" and name not in names}
        self.filters = {name: function for name, function in self.filters.items() if name not in _NO_FILTERS}
        self.filters |= {"format": bounded_format, **dict.fromkeys(DEFAULT_FILTERS, default_when_empty)}

    @staticmethod
    def concat(pieces: Iterable[str]) -> str:
        """Join what a text renders to, but stop where no message could hold it."""
        kept, length = [], 0
        for piece in pieces:
            length += len(piece)
            if length > LONGEST_TEXT:
                raise TextTooLong
            kept.append(piece)
        return "".join(kept)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Calculate, but refuse what would fill the memory."""
        if operator == "**" and (abs(left) > _LARGEST_POWER[0] or abs(right) > _LARGEST_POWER[1]):
            raise OverflowError
        if operator == "*" and max(_repeated(left, right), _repeated(right, left)) > LONGEST_TEXT:
            raise TextTooLong
        if operator == "%" and isinstance(left, str):
            return bounded_format(left, *(right if isinstance(right, tuple) else (right,)))
        return super().call_binop(context, operator, left, right)

    def wrap_str_format(self, value: Any) -> None:
        """Leave `str.format` to the next method, which refuses it."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Refuse, beside what the sandbox does, what fills up to any length."""
        return attr not in _NO_METHODS and super().is_safe_attribute(obj, attr, value)


def default_when_empty(value: Any, default_value: Any = "", boolean: bool = False) -> Any:
    """Jinja's `default`, which also counts a cell that is empty or holds only spaces as not given."""
    empty = isinstance(value, Undefined) or (isinstance(value, str) and not value.strip()) or (boolean and not value)
    return default_value if empty else value


def bounded_format(value: str, *args: Any, **kwargs: Any) -> str:
    """Jinja's `format` ("%.2f" | format(price)), for fields of at most 999 characters."""
    if _LONG_FIELD.search(value.replace("%%", "")):
        raise TextTooLong
    return do_format(value, *args, **kwargs)


def readable(value: Any) -> Any:
    """What a field may show: texts and numbers; `{{ name.upper }}` without its brackets would show a memory address."""
    if isinstance(value, _READABLE):
        return value
    raise NoText


def refuse_unbounded(tree: nodes.Template) -> None:
    """Raise TemplateSyntaxError for what could run on and on, or needs other files."""
    for node in tree.find_all(tuple(_NO_TAGS)):
        raise TemplateSyntaxError(f"Encountered unknown tag '{_NO_TAGS[type(node)]}'.", node.lineno)
    for loop in tree.find_all(nodes.For):
        if loop.recursive or loop.find(nodes.For):
            raise TemplateSyntaxError("loop inside a loop", loop.lineno)


def _repeated(sequence: Any, times: Any) -> int:
    return len(sequence) * times if isinstance(sequence, str | list | tuple) and isinstance(times, int) else 0
