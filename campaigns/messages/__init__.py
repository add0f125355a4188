"""From recipients to messages: the text of each row, and how many segments it takes."""

from campaigns.messages.fields import field_names
from campaigns.messages.rendering import keep, render
from campaigns.messages.segments import Measure, measure
from campaigns.messages.template import Filter, Template, compile_filter, compile_template

__all__ = [
    "Filter",
    "Measure",
    "Template",
    "compile_filter",
    "compile_template",
    "field_names",
    "keep",
    "measure",
    "render",
]
