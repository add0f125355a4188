"""What became of each row, written as CSV, XLSX, HTML, JSON or JSON lines."""

from campaigns.reporting.cleaned import Cleaned, cleaned_paths, open_cleaned
from campaigns.reporting.figures import ReportFacts
from campaigns.reporting.reports import FORMATS, Reports, check_places, open_reports
from campaigns.reporting.table import status_object

__all__ = [
    "FORMATS",
    "Cleaned",
    "ReportFacts",
    "Reports",
    "check_places",
    "cleaned_paths",
    "open_cleaned",
    "open_reports",
    "status_object",
]
