"""Each role at each route: what the permission table promises is what the pages do. `-s -n0` prints the matrix."""

import pytest
from flask import Flask
from werkzeug.routing import Rule

from clinic_tracker.domain.permissions import ROLE_PERMISSIONS
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.models.audit import AccessEvent
from clinic_tracker.models.base import db
from clinic_tracker.web.access import PUBLIC_ENDPOINTS, SIGNED_IN_ENDPOINTS, TOKEN_ENDPOINTS
from tests.factories import register
from tests.rules.routes import address

OPEN = PUBLIC_ENDPOINTS | SIGNED_IN_ENDPOINTS | TOKEN_ENDPOINTS


def guarded(app: Flask) -> list[tuple[Rule, str]]:
    """Every route that needs a permission, with its method."""
    rules = sorted((rule for rule in app.url_map.iter_rules() if rule.endpoint not in OPEN), key=str)
    return [(rule, method) for rule in rules for method in sorted(rule.methods & {"GET", "POST"})]


@pytest.mark.parametrize("role", list(Role))
def test_each_role_reaches_what_its_permissions_open_and_nothing_else(app, cast, page, role):
    page.sign_in(cast.person(role))
    wrong = []
    for rule, method in guarded(app):
        needed = set(app.view_functions[rule.endpoint].permissions)
        allowed = needed <= ROLE_PERMISSIONS[role]
        answer = page.request(method, address(rule))
        print(f"{role:<14}{method:<5}{rule.rule:<70}{'open' if allowed else 'denied':<7}{answer.status}")  # noqa: T201
        if (answer.status == 403) == allowed or answer.status >= 500:
            wrong.append(f"{method} {rule} as {role}: {answer.status}, should be {'open' if allowed else '403'}")
    assert wrong == []


def test_a_patient_of_another_clinic_does_not_exist(app, cast, page, scope_for):
    theirs = register(scope_for(cast.stranger))
    for person in (cast.staff, cast.neurologist, cast.administrator):
        page.sign_in(person)
        for rule, method in guarded(app):
            if "patient" in rule.arguments:
                answer = page.request(method, address(rule, patient=theirs.id))
                assert answer.status in {403, 404}, f"{method} {rule} as {person.role}: {answer.status}"
                assert theirs.row.family_name not in answer.text


def test_every_look_at_a_chart_is_logged(app, cast, page, scope_for):
    chart = register(scope_for(cast.staff))
    unlogged = []
    for person in (cast.staff, cast.neurologist, cast.administrator):
        page.sign_in(person)
        for rule, method in guarded(app):
            if method == "GET" and rule.arguments == {"patient"}:
                before = db.session.query(AccessEvent).filter_by(patient_id=chart.row.id).count()
                answer = page.request("GET", address(rule, patient=chart.id))
                after = db.session.query(AccessEvent).filter_by(patient_id=chart.row.id).count()
                if answer.status == 200 and after != before + 1:
                    unlogged.append(f"{rule} as {person.role}")
    assert unlogged == []
