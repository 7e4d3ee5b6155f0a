"""Default deny: an endpoint names its permission, or stands in a list that is written out here."""

import pytest
from flask import Flask
from werkzeug.routing import Rule, UnicodeConverter

from clinic_tracker.domain.permissions import Permission
from clinic_tracker.web.access import PUBLIC_ENDPOINTS, SIGNED_IN_ENDPOINTS, TOKEN_ENDPOINTS
from tests.rules.routes import address

PUBLIC = {"static", "auth.sign_in", "home.index", "health.healthz"}
SIGNED_IN = {"auth.sign_out", "auth.choose_clinic", "auth.keep_alive", "auth.change_password"}
WORDS = {"requirement", "setting", "panel", "kind", "code"}  # parameters from a closed vocabulary, checked by the view


def rules_of(app: Flask) -> list[Rule]:
    return list(app.url_map.iter_rules())


def test_what_is_open_to_everybody_is_listed_here():
    assert set(PUBLIC_ENDPOINTS) == PUBLIC
    assert set(SIGNED_IN_ENDPOINTS) == SIGNED_IN
    assert set(TOKEN_ENDPOINTS) == {"api.results"}


def test_every_other_endpoint_names_its_permission(app):
    bare = {
        rule.endpoint
        for rule in rules_of(app)
        if rule.endpoint not in PUBLIC | SIGNED_IN
        and not getattr(app.view_functions[rule.endpoint], "permissions", None)
    }
    assert bare == set()


def test_no_cookie_signs_in_where_a_token_does(app, cast, page):
    page.sign_in(cast.staff)
    for rule in rules_of(app):
        if rule.endpoint in TOKEN_ENDPOINTS:
            assert page.request("POST", address(rule)).status == 401


def test_what_is_named_is_a_permission(app):
    named = {permission for view in app.view_functions.values() for permission in getattr(view, "permissions", ())}
    assert named <= set(Permission)


def test_nobody_sees_anything_but_public_pages_without_signing_in(app, client):
    for rule in rules_of(app):
        if rule.endpoint in PUBLIC or "GET" not in rule.methods:
            continue
        answer = client.get(address(rule))
        assert answer.status_code == 303, rule
        assert answer.location.startswith("/sign-in"), rule


def test_addresses_hold_no_free_text(app):
    free = [
        str(rule)
        for rule in rules_of(app)
        for name, converter in rule._converters.items()
        if rule.endpoint != "static" and type(converter) is UnicodeConverter and name not in WORDS
    ]
    assert free == []


def test_what_changes_something_is_never_a_get(app):
    both = [str(rule) for rule in rules_of(app) if {"PUT", "PATCH", "DELETE"} & rule.methods]
    assert both == []


@pytest.mark.parametrize("wrong", ["/nothing-here", "/patients/not-a-uuid"])
def test_unknown_addresses_are_not_found(client, wrong):
    assert client.get(wrong).status_code == 404
