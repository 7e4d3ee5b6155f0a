"""From a figure to the list of what it counts."""

from clinic_tracker.domain.reporting.columns import Column
from clinic_tracker.domain.reporting.definition import Definition, Line
from clinic_tracker.domain.reporting.parameters import Parameters


def behind(definition: Definition, column: Column, line: Line, parameters: Parameters) -> dict[str, str] | None:
    """The parameters of the report ``definition.behind`` that list what this figure counts; None where nothing does.

    They are those of the report without its own choices, narrowed by the line and by the column.
    """
    if definition.behind is None or column.behind is None or line.behind is None:
        return None
    own = {choice.name for choice in definition.choices}
    kept = {name: value for name, value in parameters.as_json().items() if name not in own}
    return {**kept, **line.behind, **dict(column.behind)}
