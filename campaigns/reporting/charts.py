"""The workbook's native charts, drawn from cells of its data sheets so that they can be changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from openpyxl.chart import BarChart, LineChart, Reference
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.series import Series
from openpyxl.chart.text import RichText
from openpyxl.drawing.colors import ColorChoice
from openpyxl.drawing.fill import PatternFillProperties
from openpyxl.drawing.text import CharacterProperties, Paragraph, ParagraphProperties
from openpyxl.worksheet.worksheet import Worksheet

from campaigns.reporting.breakdowns import BY_COUNTRY, BY_REASON, OVER_TIME
from campaigns.reporting.sheet import Column
from campaigns.reporting.timeline import Timeline

COLOURS: Final = {
    "delivered": "137A86",
    "accepted": "5AA2AA",
    "not delivered": "C8452C",
    "unknown": "B98500",
    "not sent": "AAB4BE",
}
_DARK: Final = ("delivered", "not delivered")  #: colours that black figures are hard to read on


@dataclass(slots=True)
class ChartSource:
    """The sheet that a chart is drawn from, and how many lines (or bars) it holds."""

    sheet: Worksheet
    length: int
    names: Sequence[str] = ()  #: the groups or series that hold anything


@dataclass(slots=True)
class ChartSources:
    """What the charts are drawn from; None where there is nothing to draw."""

    reasons: ChartSource
    times: ChartSource | None = None
    countries: ChartSource | None = None


def outcome_chart(source: ChartSource, title: str, groups: Sequence[tuple[str, int]]) -> BarChart:
    """One stacked bar at 100 %, a colour for each group; `groups` are those of the source, with their numbers."""
    chart = _bars(title, "bar")
    chart.grouping, chart.overlap = "percentStacked", 100
    first = len(BY_REASON) + 2
    block = Reference(source.sheet, min_col=first, max_col=first + source.length - 1, min_row=1, max_row=2)
    chart.add_data(block, titles_from_data=True)
    total = sum(number for _, number in groups)
    for series, (name, number) in zip(chart.series, groups, strict=True):
        _colour(series, name)
        if number * 20 >= total:  # in a narrower part the label would stand over its neighbours
            series.dLbls = _labels(name)
    chart.legend.position = "b"
    chart.x_axis.delete = True
    chart.y_axis.majorGridlines = None
    chart.height = 6
    return chart


def timeline_chart(source: ChartSource, title: str, line: Timeline) -> BarChart:
    """Columns for what was sent; a line for what was delivered, where anything was."""
    chart = _bars(title, "col")
    chart.add_data(_column(source, OVER_TIME, "sent"), titles_from_data=True)
    _colour(chart.series[0], "not sent")
    times = _column(source, OVER_TIME, "from_local", skip_header=True)
    chart.set_categories(times)
    chart.y_axis.title, chart.y_axis.scaling.min, chart.y_axis.number_format = (
        f"Messages per {line.step_name}",
        0,
        "#,##0",
    )
    chart.x_axis.number_format, chart.x_axis.tickLblSkip = _time_format(line.step), max(source.length // 6, 1)
    chart.x_axis.tickMarkSkip = chart.x_axis.tickLblSkip
    if "delivered" in source.names:
        curve = LineChart()
        curve.add_data(_column(source, OVER_TIME, "delivered"), titles_from_data=True)
        curve.series[0].graphicalProperties.line.solidFill = COLOURS["delivered"]
        curve.series[0].smooth = False
        chart += curve
        chart.legend.position = "b"
    else:
        chart.legend = None
    return chart


def country_chart(source: ChartSource, title: str, column: str) -> BarChart:
    """The share of each country, longest bar first."""
    chart = _bars(title, "bar")
    chart.add_data(_column(source, BY_COUNTRY, column), titles_from_data=True)
    chart.set_categories(_column(source, BY_COUNTRY, "name", skip_header=True))
    outcome = column.removeprefix("share_")
    _colour(chart.series[0], outcome)
    chart.series[0].dLbls = _labels(outcome)
    chart.series[0].dLbls.position = "inEnd"
    chart.legend = None
    chart.x_axis.scaling.orientation = "maxMin"  # the first country on top
    chart.y_axis.scaling.min, chart.y_axis.scaling.max, chart.y_axis.number_format = 0, 1, "0%"
    chart.height = max(5, 2.5 + 0.7 * source.length)
    return chart


def _bars(title: str, direction: str) -> BarChart:
    chart = BarChart()
    chart.type, chart.gapWidth, chart.title = direction, 40, title
    chart.x_axis.delete = chart.y_axis.delete = False  # the library's own default hides both axes
    chart.width, chart.height = 16, 8
    return chart


def _time_format(step: int) -> str:
    return "hh:mm:ss" if step < 60 else "hh:mm" if step < 3600 else "d mmm hh:mm"


def _column(source: ChartSource, columns: Sequence[Column], name: str, *, skip_header: bool = False) -> Reference:
    place = [column.name for column in columns].index(name) + 1
    return Reference(source.sheet, min_col=place, min_row=2 if skip_header else 1, max_row=source.length + 1)


def _colour(series: Series, name: str) -> None:
    look = series.graphicalProperties
    if name == "unknown":  # hatched, so that it is told apart without colour
        look.pattFill = PatternFillProperties(prst="wdUpDiag", fgClr=_rgb(COLOURS[name]), bgClr=_rgb("FFFFFF"))
    else:
        look.solidFill = COLOURS[name]


def _rgb(colour: str) -> ColorChoice:
    choice = ColorChoice()
    choice.srgbClr = colour
    return choice


def _labels(name: str) -> DataLabelList:
    labels = DataLabelList()
    if name in _DARK:
        white = CharacterProperties(solidFill="FFFFFF")
        labels.txPr = RichText(p=[Paragraph(pPr=ParagraphProperties(defRPr=white), endParaRPr=white)])
    labels.showVal = True
    labels.showSerName = labels.showCatName = labels.showLegendKey = labels.showPercent = False
    return labels
