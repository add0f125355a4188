"""What a text may say: Jinja's sandbox, with limits, and with our meaning of an empty field."""

from collections.abc import Collection, Iterable
from typing import Any, Final

from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined, nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from campaigns.messages.segments import LONGEST_TEXT

DEFAULT_FILTERS: Final = frozenset({"default", "d"})
_LARGEST_POWER: Final = (1_000_000, 16)  #: base and exponent

_NO_TAGS: Final = {  # they need files, or would let one text call itself
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "from",
    nodes.Extends: "extends",
    nodes.Block: "block",
    nodes.Macro: "macro",
    nodes.CallBlock: "call",
}


class TextTooLong(Exception):
    """A text is longer than any message can be."""


class NoText(Exception):
    """A field in a text stands for a list or a function: nothing that a person could read."""


class TextEnvironment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox for one text; `names` are the fields, which win over Jinja's own names."""

    intercepted_binops = frozenset({"*", "**"})

    def __init__(self, names: Collection[str]) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=False, finalize=readable, cache_size=0)
        self.globals = {name: value for name, value in self.globals.items() if name == "range" and name not in names}
        self.filters.update(dict.fromkeys(DEFAULT_FILTERS, default_when_empty))

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
        return super().call_binop(context, operator, left, right)


def default_when_empty(value: Any, default_value: Any = "", boolean: bool = False) -> Any:
    """Jinja's `default`, which also counts a cell that is empty or holds only spaces as not given."""
    empty = isinstance(value, Undefined) or (isinstance(value, str) and not value.strip()) or (boolean and not value)
    return default_value if empty else value


def readable(value: Any) -> Any:
    """What a field may show: texts and numbers; `{{ name.upper }}` without its brackets would show a memory address."""
    if isinstance(value, str | int | float | Undefined):
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
