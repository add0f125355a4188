"""The English name of a country, for people; files hold its ISO 3166 code."""

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path


@cache
def country_name(code: str) -> str:
    """ "SE" as "Sweden"; a code without a name stays, none at all is "no country" (such as a satellite phone)."""
    if not code:
        return "no country"
    names = _names_of_countries().get(code, {})
    name = names.get("en", code)
    return names[name[1:]] if name.startswith("*") else name  # "*sv": the same as in that language


@cache
def _names_of_countries() -> Mapping[str, Mapping[str, str]]:
    """By country, then language. The table alone: its package loads every place on earth too (0.5 s, 150 MB)."""
    package = find_spec("phonenumbers.geodata")
    [folder] = (package and package.submodule_search_locations) or [""]
    table = spec_from_file_location("phonenumbers.geodata.locale", Path(folder) / "locale.py")
    if table is None or table.loader is None:
        raise ImportError("phonenumbers has no table of countries")
    module = module_from_spec(table)
    table.loader.exec_module(module)
    names: Mapping[str, Mapping[str, str]] = module.LOCALE_DATA
    return names
