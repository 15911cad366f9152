"""The whole site at a glance: what every room is doing, who is in, what its cameras say."""

from sqlite3 import Connection


def site_name(connection: Connection) -> str | None:
    """What the site is called; None while no site plan has been taken in."""
    row = connection.execute("select name from site").fetchone()
    return None if row is None else str(row["name"])
