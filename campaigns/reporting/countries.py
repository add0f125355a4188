"""The English name of a country, for people; files hold its ISO 3166 code."""

from functools import cache

from phonenumbers.geodata.locale import LOCALE_DATA


@cache
def country_name(code: str) -> str:
    """ "SE" as "Sweden"; a code without a name stays, none at all is "no country" (such as a satellite phone)."""
    if not code:
        return "no country"
    names = LOCALE_DATA.get(code, {})
    name = names.get("en", code)
    return names[name[1:]] if name.startswith("*") else name  # "*sv": the same as in that language
