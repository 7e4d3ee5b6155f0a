"""The test harness keeps its own promises: an empty database each time, and pages that are really read."""

import html5lib
import pytest
import sqlalchemy as sa

from clinic_tracker.models.access import Clinic
from clinic_tracker.models.base import db
from tests.fixtures.html_rules import problems_of
from tests.fixtures.pages import Answer

GOOD = """<!DOCTYPE html><html lang="en"><head><title>A</title></head><body><main><h1>A</h1>
<form action="/x" method="post"><input type="hidden" name="csrf_token" value="t">
<label for="a">A</label><input id="a" name="a"></form></main></body></html>"""


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_finds_an_empty_database_though_commits_are_real(app, cast, turn):
    assert db.session.query(Clinic).count() == 2


def test_the_cast_works_in_two_clinics(cast, scope_for):
    scope = scope_for(cast.staff)
    assert scope.clinic_id == cast.northside.id != cast.stranger.clinic.id
    assert scope.today.isoformat() == "2026-01-22"


def test_the_clock_stands_until_it_is_moved(app, clock):
    before = app.extensions["clock"]()
    clock.forward(minutes=5)
    assert (app.extensions["clock"]() - before).total_seconds() == 300


@pytest.mark.no_database
def test_a_good_page_has_no_problems():
    assert problems_of(parse(GOOD)) == []


@pytest.mark.no_database
@pytest.mark.parametrize(
    "old, new, problem",
    [
        ("<title>A</title>", "<title> </title>", "no title"),
        ('lang="en"', "", "no language"),
        ("<h1>A</h1>", "", "0 elements h1"),
        ("<h1>A</h1>", "<h1>A</h1><h3>B</h3>", "a heading h3 follows h1"),
        ('id="a" ', 'id="b" ', "input 'a' has no label"),
        ("<h1>A</h1>", '<h1 id="a">A</h1>', "id 'a' 2 times"),
        ('name="a"', 'name="a" aria-describedby="c"', "input aria-describedby names 'c', which is not on the page"),
        ("<h1>A</h1>", '<h1 style="color:red">A</h1>', "h1 has style='color:red'"),
        ("<h1>A</h1>", "<h1>A</h1><script>x()</script>", "an inline script"),
        ('name="a"', 'name="a" onclick="x()"', "input has onclick='x()'"),
        ('action="/x" ', "", "form without action or method: {'method': 'post'}"),
        ('value="t"', 'value=""', "form to /x without CSRF token"),
        ("<h1>A</h1>", '<h1>A</h1><a href="/b"></a>', "link to /b without text"),
        ("<h1>A</h1>", '<h1>A</h1><a href="#z">z</a>', "link to #z, which is not on the page"),
        ("<h1>A</h1>", '<h1>A</h1><img src="/i.png">', "image /i.png without alt"),
    ],
)
def test_a_bad_page_is_noticed(old, new, problem):
    assert problem in problems_of(parse(GOOD.replace(old, new)))


def parse(text):
    return html5lib.HTMLParser(namespaceHTMLElements=False).parse(text)


FORMS = """<main><form method="post" action="/a?x=1"><input name="n" value="1"><select name="s"><option value="p">P
</option><option value="q" selected>Q</option></select><input type="checkbox" name="c" value="y"><textarea name="t">
words</textarea><button name="go" value="1">Go</button></form><form method="post" action="/b"></form></main>"""


@pytest.mark.no_database
def test_a_form_sends_what_it_holds():
    answer = Answer(None, parse(f"<!DOCTYPE html><title>F</title>{FORMS}"))
    assert answer.fields("/a") == {"n": "1", "s": "q", "t": "words"}


@pytest.mark.no_database
def test_among_several_forms_one_must_be_chosen():
    answer = Answer(None, parse(f"<!DOCTYPE html><title>F</title>{FORMS}"))
    with pytest.raises(AssertionError, match="several forms"):
        answer.fields()


def test_requests_share_nothing_with_the_test_around_them(app, cast, page):
    held = db.session.query(Clinic).filter_by(slug="northside").one()
    page.sign_in(cast.staff).get("/healthz")
    db.session.execute(sa.update(Clinic).values(phone="555-0100"))
    db.session.commit()
    page.get("/healthz")
    assert held.phone == "555-0100"
