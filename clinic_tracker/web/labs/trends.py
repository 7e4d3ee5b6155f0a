"""The trends of a patient: one drawing an analyte, with the reference band, the baseline and the courses."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from clinic_tracker.domain.lab_entry import ReadValue
from clinic_tracker.domain.panels import LabCatalog
from clinic_tracker.domain.vocabulary import Panel, Sex
from clinic_tracker.queries.lab_rows import Point
from clinic_tracker.queries.patients import PatientHeader
from clinic_tracker.web.charts import trends as charts
from clinic_tracker.web.charts.trends import CourseMark, TrendChart, trend_chart
from clinic_tracker.web.labs.presenters import shown_value

TREND_ANALYTES = ("platelets", "creatinine", "urine_rbc", "tsh", "alt", "neutrophils", "lymphocytes", "cd4", "upcr")


def trends_of(
    catalog: LabCatalog,
    header: PatientHeader,
    series: Mapping[str, Sequence[Point]],
    courses: Sequence[tuple[int, date]],
    analytes: Sequence[str] = TREND_ANALYTES,
    *,
    aligned: bool = False,
) -> list[TrendChart]:
    """One chart for each analyte that has values, in the order in which they are watched.

    ``aligned``: all over the same time, from the first value of any of them to the last.
    """
    marks = [CourseMark(on, f"C{number}") for number, on in courses]
    days = [point.on for analyte in analytes for point in series.get(analyte, ())]
    span = (min(days), max(days)) if aligned and days else ()
    return [
        _trend(catalog, header, analyte, points, marks, span) for analyte in analytes if (points := series.get(analyte))
    ]


def analytes_of(catalog: LabCatalog, panel: Panel | None) -> tuple[str, ...]:
    """What is drawn of a panel: everything that is measured in numbers; without a panel what is watched most."""
    if panel is None:
        return TREND_ANALYTES
    return tuple(analyte.code for analyte in catalog.panel_analytes(panel) if not analyte.ordinal)


def _trend(
    catalog: LabCatalog,
    header: PatientHeader,
    analyte: str,
    points: Sequence[Point],
    marks: Sequence[CourseMark],
    span: Sequence[date],
) -> TrendChart:
    """Values of one unit only: counts per field and per microliter do not belong on one axis."""
    unit = Counter(point.value.unit for point in points).most_common(1)[0][0]
    of_unit = [point for point in points if point.value.unit == unit]
    low, high = _band(catalog, of_unit[-1].value, Sex(header.sex_at_birth))
    drawn = [
        charts.Point(point.on, point.value.number, shown_value(catalog, point.value).text, point.finding or "")
        for point in of_unit
    ]
    return trend_chart(
        catalog.analyte(analyte).title,
        drawn,
        unit=catalog.show_unit(unit or ""),
        low=low,
        high=high,
        baseline=_baseline(header, of_unit),
        courses=marks,
        span=span,
    )


def _band(catalog: LabCatalog, latest: ReadValue, sex: Sex) -> tuple[float | None, float | None]:
    """The range of the latest report; the ordinary adult one where it prints none."""
    if latest.low is not None or latest.high is not None:
        return latest.low, latest.high
    usual = catalog.default_range(latest.analyte, latest.unit or "", sex)
    return (usual.low, usual.high) if usual is not None else (None, None)


def _baseline(header: PatientHeader, points: Sequence[Point]) -> float | None:
    """The last value before the first infusion, None where there is none."""
    start = header.first_infusion_on
    before = [point for point in points if start is not None and point.on <= start]
    return before[-1].value.number if before else None
