"""Asking for a report as a page, a command or a schedule does, and checking what every report keeps to."""

from datetime import date, datetime
from typing import Any

from clinic_tracker.domain.reporting.columns import Column, Kind
from clinic_tracker.domain.reporting.definition import Line
from clinic_tracker.domain.reporting.parameters import Parameters, read_parameters
from clinic_tracker.queries.reports.registry import REPORTS
from clinic_tracker.queries.scope import Scope

KINDS: dict[Kind, tuple[type, ...]] = {
    Kind.TEXT: (str,),
    Kind.CODE: (str,),
    Kind.COUNT: (int,),
    Kind.NUMBER: (int, float),
    Kind.SHARE: (float,),
    Kind.DATE: (date,),
    Kind.MONTH: (date,),
    Kind.INSTANT: (datetime,),
    Kind.YES_NO: (bool,),
}


def asked(scope: Scope, name: str, **values: Any) -> list[dict[str, Any]]:
    """The lines of a report by column name, with ``patient_id``; each cell is of the kind that its column says."""
    parameters = read(scope, name, **values)
    columns = REPORTS[name].definition.columns_for(parameters.choices)
    found = list(REPORTS[name].lines(scope, parameters))
    for line in found:
        check(columns, line)
    return [
        {column.name: cell for column, cell in zip(columns, line.cells, strict=True)} | {"patient_id": line.patient_id}
        for line in found
    ]


def read(scope: Scope, name: str, **values: Any) -> Parameters:
    """The parameters as they are typed; ``from_`` is ``from``."""
    given = {key.rstrip("_"): str(value) for key, value in values.items()}
    return read_parameters(REPORTS[name].definition, given, scope.now, scope.time_zone)


def check(columns: tuple[Column, ...], line: Line) -> None:
    """A value for each column, of its kind; the patient is named by both keys or by none."""
    assert len(columns) == len(line.cells)
    assert (line.patient_id is None) == (line.patient is None)
    for column, cell in zip(columns, line.cells, strict=True):
        if cell is None:
            continue
        assert isinstance(cell, KINDS[column.kind]), (column.name, cell)
        assert isinstance(cell, bool) == (column.kind is Kind.YES_NO), (column.name, cell)
        assert isinstance(cell, datetime) == (column.kind is Kind.INSTANT), (column.name, cell)
        assert not isinstance(cell, datetime) or cell.utcoffset() is not None, column.name
