"""Rows added many at a time, straight to the driver: what is done for each row of an INSERT costs as much again."""

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Table, insert
from sqlalchemy.exc import DBAPIError

from clinic_tracker.models.engine import tell_first_line

Row = Mapping[str, Any]


def add_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Add rows that all have the columns of the first one, at least two, in the transaction of the connection.

    What is left out is what the database puts there; ValueError for a column that Python would fill. Errors of the
    database are those of an INSERT, without values.
    """
    names = [column.name for column in table.columns if column.name in rows[0]]
    left = [column.name for column in table.columns if column.name not in rows[0] and column.default is not None]
    if left:
        message = f"{table.name}: {', '.join(left)}: only Python knows what is there if nothing is said"
        raise ValueError(message)
    values = _values(connection, table, names, rows)
    if connection.dialect.name == "postgresql":
        columns = ", ".join(connection.dialect.identifier_preparer.quote(name) for name in names)
        _copy(connection, f"COPY {table.name} ({columns}) FROM STDIN", values)
    else:
        statement = insert(table).compile(dialect=connection.dialect, column_keys=names)
        connection.exec_driver_sql(str(statement), list(values))


def _values(
    connection: Connection, table: Table, names: Sequence[str], rows: Sequence[Row]
) -> Iterator[tuple[Any, ...]]:
    """The values of each row as the driver takes them."""
    dialect = connection.dialect
    ways = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
    turned = [(place, way) for place, way in enumerate(ways) if way is not None]
    cells_of = itemgetter(*names)
    for row in rows:
        cells = list(cells_of(row))
        for place, way in turned:
            cells[place] = way(cells[place])
        yield tuple(cells)


def _copy(connection: Connection, statement: str, rows: Iterator[tuple[Any, ...]]) -> None:
    dialect = connection.dialect
    errors = dialect.loaded_dbapi.Error
    driver: Any = connection.connection.cursor()
    try:
        with driver.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except errors as error:
        raised = DBAPIError.instance(statement, None, error, errors, hide_parameters=True, dialect=dialect)
        tell_first_line(error, raised)
        raise raised from error
    finally:
        driver.close()
