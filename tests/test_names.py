"""Family names by language."""

import numpy as np
import pytest

from course_utils import names


def test_names_are_unique_small_and_sorted_within_their_language():
    words, y, languages = names.load()
    assert languages == names.DEFAULT and len(words) == len(set(words)) == len(y)
    assert all(word == word.lower() and word.strip() == word for word in words)
    assert y.dtype == np.int64 and (np.diff(y) >= 0).all()
    for k in range(len(languages)):
        of_one = [word for word, label in zip(words, y, strict=True) if label == k]
        assert len(of_one) > 300 and of_one == sorted(of_one)


def test_each_name_stands_in_the_list_of_its_language_alone():
    from faker.providers.person.de_DE import Provider as German
    from faker.providers.person.fr_FR import Provider as French

    words, y, languages = names.load(("German", "French"))
    german = {word for word, label in zip(words, y, strict=True) if label == 0}
    french = set(words) - german
    assert {"schröder", "zimmermann"} <= german and "lefèvre" in french
    shared = {n.lower() for n in German.last_names} & {
        n.lower() for n in French.last_names
    }
    assert shared and not shared & set(words)


@pytest.mark.parametrize("language", names.LOCALES)
def test_every_language_has_names(language):
    other = "English" if language != "English" else "Italian"
    words, y, languages = names.load((language, other))
    assert (y == 0).sum() > 300


def test_bad_requests_say_what_to_choose():
    with pytest.raises(ValueError, match="Klingon.*choose from.*Croatian"):
        names.load(("Klingon", "English"))
    for few in ("English",), ("English", "English"):
        with pytest.raises(ValueError, match="at least two"):
            names.load(few)
