"""MovieLens-100k, read from the package that carries it."""

import sys

import pandas as pd
import pytest

from course_utils import ratings


def test_the_counts_are_those_that_its_makers_published():
    table = ratings.movielens()
    assert list(table) == ["user", "item", "rating", "time"]
    assert (table.dtypes == "int64").all() and len(table) == 100_000
    assert set(table["user"]) == set(range(943))
    assert set(table["item"]) == set(range(1682))
    assert set(table["rating"]) == {1, 2, 3, 4, 5}
    assert not table.duplicated(["user", "item"]).any()
    assert table.groupby("user").size().min() >= 20  # the makers left out the others
    when = pd.to_datetime(table["time"], unit="s")
    assert when.is_monotonic_increasing
    assert str(when.iloc[0])[:7] == "1997-09" and str(when.iloc[-1])[:7] == "1998-04"


def test_titles_go_with_the_items():
    titles = ratings.titles()
    assert list(titles.index) == list(range(1682))
    assert titles[0] == "Toy Story" and titles[49] == "Star Wars"
    most = ratings.movielens()["item"].value_counts().index[0]
    assert titles[most] == "Star Wars"


def test_reading_does_not_import_the_package():
    ratings.movielens()
    assert "recbole" not in sys.modules


def test_without_the_package_the_command_is_told(monkeypatch):
    monkeypatch.setattr(ratings, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="pip install --no-deps recbole"):
        ratings.movielens()


def test_a_cut_file_is_not_taken_for_the_whole(monkeypatch):
    whole = ratings._read("inter")
    monkeypatch.setattr(ratings, "_read", lambda kind: whole.iloc[:-1])
    with pytest.raises(ValueError, match="99,999 ratings instead of 100,000"):
        ratings.movielens()


def test_people_and_films_are_those_that_its_makers_describe():
    people, films = ratings.people(), ratings.films()
    assert list(people.index) == list(range(943))
    assert people["occupation"].nunique() == 21 and set(people["gender"]) == {"F", "M"}
    assert list(people.loc[0]) == [24, "M", "technician"]
    assert list(films.index) == list(range(1682))
    assert films["genres"].str.split().explode().nunique() == 18
    assert (
        films.loc[0, "year"] == 1995
        and films["year"].dropna().between(1922, 1998).all()
    )
    assert films.isna().sum().to_dict() == {"year": 2, "genres": 2}
