"""The shop's SQLite database: one connection for each piece of work, which is done whole or not at all."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from .environment import DATA, MAILS, PICTURES

SCHEMA = """
create table if not exists accounts (name text primary key, password text not null);
create table if not exists products (
    number integer primary key, name text not null unique, price integer not null, stock integer not null,
    picture text
);
create table if not exists pictures (name text primary key, media_type text not null);
create table if not exists reviews (product integer not null references products, account text, text text);
create table if not exists orders (
    number integer primary key, account text not null references accounts, status text not null
);
create table if not exists lines (
    "order" integer not null references orders, product integer not null references products, count integer
);
"""
GOODS = [("Green tea", 900, 40), ("Black tea", 700, 60), ("Tea pot", 3900, 8), ("Cup", 1200, 25)]


@contextmanager
def connected() -> Iterator[sqlite3.Connection]:
    """A connection, for one transaction."""
    made = sqlite3.connect(DATA / "shop.db", timeout=5)
    made.row_factory = sqlite3.Row
    try:
        made.execute("pragma foreign_keys = on")
        with made:
            yield made
    finally:
        made.close()


def prepare() -> None:
    """Make what is not there yet: folders, tables and goods."""
    for folder in (DATA, PICTURES, MAILS):
        folder.mkdir(parents=True, exist_ok=True)
    with connected() as database:
        database.execute("pragma journal_mode = wal")
        database.executescript(SCHEMA)
        database.executemany("insert or ignore into products (name, price, stock) values (?, ?, ?)", GOODS)


def answers() -> bool:
    """Whether the database is there, for whoever wants to know whether the shop is ready."""
    if not (DATA / "shop.db").exists():
        return False
    with connected() as database:
        return bool(database.execute("select count(*) from products").fetchone()[0])
