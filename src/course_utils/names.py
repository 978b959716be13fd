"""Family names by language: short sequences of characters, packaged with Faker.

Knows no framework and no encoding: chapters turn characters into numbers themselves.
"""

from collections import Counter
from collections.abc import Sequence
from importlib import import_module

import numpy as np

LOCALES = {
    "Croatian": ("hr_HR",),
    "Dutch": ("nl_NL",),
    "English": ("en_GB",),
    "Estonian": ("et_EE",),
    "Finnish": ("fi_FI",),
    "French": ("fr_FR", "fr_BE"),
    "German": ("de_DE", "de_AT"),
    "Italian": ("it_IT",),
    "Spanish": ("es_ES",),
}
DEFAULT = "English", "Finnish", "French", "German", "Italian", "Spanish"


def load(
    languages: Sequence[str] = DEFAULT,
) -> tuple[list[str], np.ndarray, tuple[str, ...]]:
    """Family names in small letters, without those that two of the languages share.

    Returns:
        names, sorted within each language; the index of each one's language,
        (n,) int64; the languages.
    Raises ValueError for a language that is not there, or for fewer than two.
    Source: the person providers of Faker (MIT), https://faker.readthedocs.io.
    """
    if unknown := [name for name in languages if name not in LOCALES]:
        raise ValueError(f"no names in {unknown}: choose from {list(LOCALES)}")
    if len(set(languages)) < max(2, len(languages)):
        raise ValueError("name at least two languages, each of them once")
    found = [_names(language) for language in languages]
    shared = Counter(name for names in found for name in names)
    kept = [[name for name in sorted(names) if shared[name] == 1] for names in found]
    y = np.repeat(np.arange(len(kept)), [len(names) for names in kept])
    return [name for names in kept for name in names], y, tuple(languages)


def _names(language) -> set[str]:
    """All family names of a language, in small letters."""
    found = set()
    for locale in LOCALES[language]:
        provider = import_module(f"faker.providers.person.{locale}").Provider
        found |= {name.lower() for name in provider.last_names}
    return found
