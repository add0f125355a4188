"""What the user may say about a recipient file; all that is left out is found in the file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a recipient file is to be read."""

    phone_column: str | None = None  #: header of the column that holds the numbers
    region: str = "SE"  #: ISO 3166 code of the country that national numbers belong to
    sheet: str | None = None  #: of a workbook
    encoding: str | None = None  #: of a text file, by any name that Python knows
    skip_hidden: bool = False  #: leave out the rows that a workbook hides
    allow_landline: bool = False  #: take every valid number, whatever its type
