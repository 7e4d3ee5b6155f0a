import re
from datetime import date, timedelta

import pytest
from flask import abort

from clinic_tracker.cli import assets
from clinic_tracker.domain.errors import NotFound, RuleViolation, StaleVersion
from clinic_tracker.domain.permissions import Permission
from clinic_tracker.domain.vocabulary import Role
from clinic_tracker.queries.scope import PermissionDenied
from clinic_tracker.web import forms as f
from clinic_tracker.web import navigation
from clinic_tracker.web.timeline import Occurrence, build_timeline
from tests.web.interface import NOON, ROOT, SCOPE, make_interface, posted, problems, render, scope_of

pytestmark = pytest.mark.no_database

STATIC = ROOT / "clinic_tracker" / "static"
BANNER = {
    "public_id": "3f6a1c1e-1111-4222-8333-444455556666",
    "family_name": "Okafor",
    "given_name": "Ada",
    "birth_date": date(1980, 7, 14),
    "age": 45,
    "sex": "female",
    "mrn": "10233",
    "rems_patient_id": None,
    "prescriber": "M. Alvarez, MD",
    "phase": "Course 2, month 14 of 48",
    "alerts": [{"text": "CBC 12 days overdue", "tone": "red"}],
}
PAGE = '{% extends "layouts/page.html" %}{% block title %}Overdue{% endblock %}{% block main %}<p>x</p>{% endblock %}'
CHART = '{% extends "layouts/patient.html" %}{% block title %}Chart{% endblock %}{% block main %}{% endblock %}'


class Note(f.Form):
    text = f.TextAreaField("Note", required=True)


def macro(interface, name, call, **context):
    return render(
        interface, f'{{% from "components/{name}.html" import {call.split("(")[0]} %}}{{{{ {call} }}}}', **context
    )


def menu_of(html):
    return re.findall(r'class="rail__link"[^>]*>.*?<span>(.*?)</span>', html, re.DOTALL)


@pytest.mark.parametrize(
    "role, places",
    [
        (Role.STAFF, ["Today", "Worklists", "Infusion suite", "Patients", "Results"]),
        (Role.NEUROLOGIST, ["Today", "Worklists", "Infusion suite", "Patients", "Results", "Reports"]),
        (Role.AUDITOR, ["Today", "Worklists", "Infusion suite", "Patients", "Results", "Reports", "Admin"]),
    ],
)
def test_the_menu_shows_what_the_person_may_open(interface, role, places):
    assert menu_of(render(interface, PAGE, scope_of(role))) == places


def test_a_page_that_is_not_installed_is_left_out_of_the_menu():
    app = make_interface()
    del app.view_functions["infusions.suite"]
    assert "Infusion suite" not in menu_of(render(app, PAGE))


def test_a_page_satisfies_the_rules_for_pages(interface):
    assert problems(render(interface, PAGE)) == []
    assert problems(render(interface, CHART, banner=BANNER, tab="overview")) == []


def test_demonstration_data_are_marked_and_search_posts(interface):
    html = render(interface, PAGE)
    assert "Do not use for care." in html
    assert re.search(r'<form class="search" role="search" method="post"', html)


def test_a_visitor_sees_no_menu_and_no_search(interface):
    html = render(interface, PAGE, scope=None)
    assert menu_of(html) == []
    assert 'role="search"' not in html


@pytest.mark.parametrize("cookie, theme", [("theme=dark", "dark"), ("theme=light", "light"), ("theme=x", ""), ("", "")])
def test_the_theme_is_a_choice_or_the_systems(interface, cookie, theme):
    found = re.search(r'<html[^>]* data-theme="(\w+)"', render(interface, PAGE, cookie=cookie))
    assert (found[1] if found else "") == theme


def test_the_banner_names_the_patient_and_says_what_is_unknown(interface):
    html = render(interface, CHART, banner=BANNER, tab="overview")
    assert "<b>OKAFOR</b>, Ada" in html
    assert "14-Jul-1980</time> (45 y)" in html
    assert '<dt>REMS ID</dt><dd><span class="muted">Not known</span>' in html
    assert "Okafor" not in re.search("<title>(.*?)</title>", html)[1]


def test_the_tab_of_the_page_is_marked(interface):
    html = render(interface, CHART, banner=BANNER, tab="results")
    assert re.search(r'/results" aria-current="page">Results<', html)


def test_a_refused_form_says_so_in_title_summary_and_field(interface):
    page = """{% extends "layouts/form.html" %}{% from "components/fields.html" import field %}
    {% block title %}Note{% endblock %}{% block fields %}{{ field(form.text) }}{% endblock %}"""
    form = posted(interface, Note)
    html = render(interface, page, form=form)
    assert "<title>Error: Note" in html
    assert '<a href="#text">Enter note</a>' in html
    assert 'data-module="govuk-error-summary"' in html
    assert [problem for problem in problems(html) if "CSRF" not in problem] == []


@pytest.mark.parametrize(
    "status, days, words, shape",
    [
        ("overdue", 12, "12 days overdue", "overdue"),
        ("due", 3, "due in 3 days", "due"),
        ("done", None, "done", "done"),
        ("missed", None, "missed", "missed"),
        ("upcoming", None, "upcoming", "upcoming"),
        ("waived", None, "waived", "waived"),
        ("up_to_date", None, "up to date", "done"),
    ],
)
def test_a_status_has_word_and_shape(interface, status, days, words, shape):
    html = macro(interface, "tags", "status_tag(status, days)", status=status, days=days)
    assert html.endswith(f"{words}</span>")
    assert f'href="#shape-{shape}"' in html


def test_every_shape_is_drawn_on_every_page(interface):
    sprite = (ROOT / "templates/components/sprite.html").read_text(encoding="utf-8")
    used = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "templates").rglob("*.html"))
    named = set(re.findall(r"#((?:shape|icon)-[a-z]+)\"", used)) | {f"icon-{item.icon}" for item in navigation.MENU}
    assert named <= set(re.findall(r'id="([\w-]+)"', sprite))


def test_unconfirmed_rules_are_marked(interface):
    assert "unconfirmed" in macro(interface, "tags", "grade_mark('R')")
    assert "local convention" in macro(interface, "tags", "grade_mark('C')")
    assert macro(interface, "tags", "grade_mark('A')") == ""


def test_a_table_has_a_caption_a_region_that_scrolls_and_says_its_order(interface):
    source = """{% from "components/table.html" import data_table %}
    {% call data_table("Overdue", columns, sort="-late") %}
    <tr><th scope="row">A</th><td class="num">3</td></tr>{% endcall %}"""
    columns = [{"text": "Patient"}, {"text": "Late", "numeric": True, "key": "late", "href": "?sort=late"}]
    html = render(interface, source, columns=columns)
    assert 'role="region" aria-labelledby="table-overdue" tabindex="0"' in html
    assert '<th scope="col" class="num " aria-sort="descending">' in html


def test_pagination_is_absent_where_there_is_one_page(interface):
    assert macro(interface, "table", "pagination(None, None)").strip() == ""
    assert 'rel="next" href="?after=x"' in macro(interface, "table", "pagination(None, '?after=x', '1 to 50')")


def test_the_timeline_reads_without_color(interface):
    occurrence = Occurrence("TSH", date(2026, 1, 10), "overdue", 12, "month 8", None, "/o/1")
    model = build_timeline([occurrence], lanes=["TSH"], today=SCOPE.today)
    html = macro(interface, "timeline", "timeline(model)", model=model)
    assert '<span class="visually-hidden">TSH, month 8, due 10-Jan-2026, 12 days overdue</span>' in html
    assert "#shape-overdue" in html
    assert '<th scope="row">TSH</th>' in html


@pytest.mark.parametrize("minutes, words", [(47, "47 min left"), (125, "2 h 05 min left"), (-3, "time is over")])
def test_a_countdown_is_right_without_scripts(interface, minutes, words):
    ends = NOON + timedelta(minutes=minutes)
    html = macro(interface, "time", "countdown(ends, now, 'America/New_York', 'Observation ends')", ends=ends, now=NOON)
    assert words in html
    assert f'data-ends="{ends.isoformat()}" data-now="{NOON.isoformat()}"' in html
    assert 'role="timer"' in html


def test_a_post_button_carries_its_token_and_says_what_it_is_about(interface):
    html = macro(interface, "fields", "post_button('/x', 'Reviewed', fields={'id': 7}, about='CBC')")
    assert 'name="csrf_token"' in html
    assert '<input type="hidden" name="id" value="7">' in html
    assert '<span class="visually-hidden"> CBC</span>' in html


FAILURES = {
    "missing": (NotFound(), 404, "Page not found"),
    "denied": (PermissionDenied(Permission.AUTHORIZE_COURSES), 403, "Neurologist"),
    "stale": (StaleVersion("R. Lee", "22-Jan-2026 11:58"), 409, "Changed by R. Lee at 22-Jan-2026 11:58"),
    "refused": (RuleViolation("x", None, "A course has five days."), 400, "A course has five days."),
    "broken": (ZeroDivisionError(), 500, "Nothing of your last action was saved"),
}


@pytest.fixture(scope="module")
def failing():
    app = make_interface()

    @app.get("/fail/<kind>")
    def fail(kind):
        if kind.isdigit():
            abort(int(kind))
        raise FAILURES[kind][0]

    @app.post("/send")
    def send():
        return "sent"

    return app.test_client()


@pytest.mark.parametrize("kind", FAILURES)
def test_a_failure_says_what_happened_and_what_is_lost(failing, kind):
    _error, status, words = FAILURES[kind]
    answer = failing.get(f"/fail/{kind}")
    assert answer.status_code == status
    assert words in answer.text
    assert problems(answer.text) == []


@pytest.mark.parametrize("code", [400, 403, 404, 409, 413, 429, 500])
def test_every_error_has_a_page(failing, code):
    answer = failing.get(f"/fail/{code}")
    assert answer.status_code == code
    assert problems(answer.text) == []


def test_programs_get_errors_as_data(failing):
    answer = failing.get("/fail/404", headers={"Accept": "application/json"})
    assert answer.json == {
        "error": {
            "status": 404,
            "title": "Page not found",
            "detail": "It may have moved, or it belongs to another clinic. Nothing was changed.",
        }
    }


def test_a_form_without_its_token_is_told_that_it_expired(failing):
    answer = failing.post("/send")
    assert answer.status_code == 400
    assert "This form has expired" in answer.text


def test_pages_may_run_no_inline_code_and_are_kept_by_no_cache(failing):
    headers = failing.get("/fail/404").headers
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_static_files_are_kept_for_as_long_as_their_content_stays(interface, failing):
    address = render(interface, "{{ static_url('css/base.css') }}")
    kept = {"with digest": address, "without": address.split("?")[0]}
    for name, target in kept.items():
        with failing.get(target) as answer:
            kept[name] = answer.headers["Cache-Control"]
    assert kept == {"with digest": "public, max-age=31536000, immutable", "without": "no-cache"}


def test_a_missing_ornament_breaks_no_page(interface):
    assert render(interface, "{{ static_url('img/none.svg') }}") == "/static/img/none.svg"


def test_vendored_files_are_as_in_the_manifest(tmp_path):
    assert assets.differences(assets.VENDOR) == []
    assert assets.differences(tmp_path) == ["manifest.json"]
    (tmp_path / "a.js").write_text("1", encoding="utf-8")
    assets.write_manifest(tmp_path)
    (tmp_path / "a.js").write_text("2", encoding="utf-8")
    (tmp_path / "b.js").write_text("", encoding="utf-8")
    assert assets.differences(tmp_path) == ["a.js", "b.js"]


def test_nothing_of_the_government_remains_in_the_styles():
    css = (STATIC / "vendor/govuk-frontend/govuk-frontend.css").read_text(encoding="utf-8")
    assert [text for text in (*assets.FORBIDDEN, "govuk-crest") if text in css] == []


def test_scripts_are_short_and_every_module_named_exists():
    scripts = list((STATIC / "js").rglob("*.js"))
    assert [path.name for path in scripts if len(path.read_text(encoding="utf-8").splitlines()) > 100] == []
    used = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "templates").rglob("*.html"))
    named = {name for names in re.findall(r'data-module="([^"{]+)"', used) for name in names.split()}
    modules = {path.stem for path in (STATIC / "js/modules").glob("*.js")}
    assert {name for name in named if not name.startswith("govuk-")} <= modules


def luminance(color):
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


TOKENS = {
    name: (light, dark)
    for name, light, dark in re.findall(
        r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", (STATIC / "css/tokens.css").read_text(encoding="utf-8")
    )
}
PAIRS = [
    *((text, ground, 4.5) for text in ("text", "muted", "accent") for ground in ("page", "surface", "sunken")),
    *((tone, ground, 4.5) for tone in ("red", "amber", "green") for ground in (f"{tone}-soft", "surface", "page")),
    ("on-accent", "accent", 4.5),
    ("accent-strong", "accent-soft", 4.5),
    ("input-line", "surface", 3.0),
    ("focus", "page", 3.0),
    ("focus", "surface", 3.0),
]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("front, ground, least", PAIRS)
def test_colors_have_the_contrast_of_aa(front, ground, least, theme):
    assert contrast(TOKENS[front][theme], TOKENS[ground][theme]) >= least
