"""A whole course on a tablet, and one day without a mouse: every state of the day page fits and is accessible."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.treated import Treated, add_patient

DAYS = 5


@pytest.fixture
def treated(cast, scope_for) -> Treated:
    ready = add_patient(cast, scope_for)
    ready.make_ready()
    return ready


@pytest.fixture
def nurse(tablet_visitor, cast):
    return tablet_visitor.sign_in(cast.staff)


class Journey:
    """A nurse at the tablet; every step is a tap, every page is looked at."""

    def __init__(self, visitor, treated, clock):
        self.visitor, self.page, self.treated, self.clock = visitor, visitor.page, treated, clock

    def look(self):
        """The page is accessible, fits, and what is tapped is large enough for a wet finger."""
        self.visitor.check_axe(schemes=("light",))
        assert self.visitor.overflow() == 0, self.page.url
        small = [
            button.text_content()
            for button in self.page.locator(".day-actions .button, .day-step__actions .button").all()
            if (button.bounding_box() or {"height": 44})["height"] < 44
        ]
        assert small == []

    def later(self, path=None, **amount):
        """Time passes while nobody looks at the page; then somebody signs in and opens it again."""
        here = path or self.page.url
        self.page.goto("about:blank")
        self.clock.forward(**amount)
        self.page.clock.set_system_time(self.clock.now)
        self.visitor.sign_in(self.treated.cast.staff).goto(here)

    def tap(self, name):
        self.page.get_by_role("link", name=name).first.click()

    def send(self, name, then):
        """Send the form and wait for what the page says then."""
        self.page.get_by_role("button", name=name, exact=True).click()
        expect(self.page.get_by_text(then).first).to_be_visible()

    def vitals(self, *, look=False, then="Vital signs recorded.", **values):
        self.tap("Take vitals now")
        values = {"systolic": 118, "diastolic": 74, "pulse": 72, "temperature": 98.6, "oxygen_saturation": 98} | values
        for name, value in values.items():
            self.page.locator(f"#{name}").fill(str(value))
        if look:
            self.look()
        self.send("Record vital signs", then)

    def steroid(self):
        self.tap("Record premedication")
        self.send("Record premedication", "Premedication recorded.")

    def start(self, day):
        self.page.locator("#lot_number").fill("A1234")
        self.page.locator("#lot_expires_on").fill("30-Jun-2027")
        for question in ("infection", "contraindication", "pregnancy"):
            self.page.locator(f"input[name={question}][value=no]").check()
        self.page.locator("#equipment_ready").check()
        assert self.page.locator("#day_number").input_value() == str(day)
        self.send("Start infusion", "Infusion started.")
        expect(self.page.get_by_role("heading", level=1)).to_have_text(f"Course 1, day {day} of {DAYS}")

    def discharge(self):
        self.tap("Sign discharge")
        self.page.locator("#stroke_advice_given").check()
        self.page.locator("#late_reaction_advice_given").check()
        self.send("Sign discharge", "Discharge signed.")
        expect(self.page.get_by_text("signed by Nia Brandt").first).to_be_visible()


def test_a_course_of_five_days_on_a_tablet(nurse, treated, clock):
    journey, morning = Journey(nurse, treated, clock), clock.now
    start = f"/patients/{treated.patient}/courses/{treated.course}/start"
    for day in range(1, DAYS + 1):
        look = journey.look if day == 1 else lambda: None
        journey.later(start, seconds=(morning + timedelta(days=day - 1) - clock.now).total_seconds())
        journey.vitals(look=day == 1)
        expect(journey.page.get_by_text("typed in °F and is kept in °C")).to_be_visible()
        if day <= 3:
            journey.steroid()
        look()
        journey.later(minutes=2)
        journey.start(day)
        look()
        journey.later(minutes=10)
        middle(journey, day)
        journey.later(minutes=235)
        expect(journey.page.get_by_text("Vital signs due since")).to_be_visible()
        look()
        journey.vitals()
        journey.tap("End now")
        journey.send("Record end", "Infusion ended.")
        look()
        journey.later(minutes=121)
        journey.discharge()
        look()
    nurse.goto(f"/patients/{treated.patient}/courses")
    expect(journey.page.get_by_text("completed").first).to_be_visible()


def middle(journey, day):
    """What happens while the infusion runs, on each day something else."""
    if day == 1:
        pause_and_resume(journey)
    elif day == 2:
        reaction_with_a_pause(journey)
    elif day == 3:
        question_and_flag(journey)


def pause_and_resume(journey):
    journey.tap("Pause")
    journey.send("Pause infusion", "Infusion paused.")
    expect(journey.page.get_by_text("Paused since").first).to_be_visible()
    journey.look()
    journey.later(minutes=1)
    journey.tap("Resume now")
    journey.send("Resume infusion", "Infusion resumed.")


def reaction_with_a_pause(journey):
    journey.tap("Record a reaction")
    for sign in ("Urticaria (hives)", "Low blood pressure"):
        journey.page.get_by_label(sign).check()
    journey.page.get_by_label("Severe", exact=True).check()
    journey.page.get_by_label("Hospital stay, new or longer").check()
    journey.page.get_by_label("Infusion paused").check()
    journey.look()
    journey.send("Record reaction", "Reaction recorded.")
    expect(journey.page.get_by_text("report by 26-Jan-2026")).to_be_visible()
    expect(journey.page.get_by_text("Paused since").first).to_be_visible()
    journey.look()
    journey.later(minutes=1)
    journey.tap("How did it end?")
    journey.page.get_by_label("How did it end?").select_option("recovered")
    journey.send("Record", "Recorded how the reaction ended.")
    journey.tap("Resume now")
    journey.send("Resume infusion", "Infusion resumed.")


def question_and_flag(journey):
    journey.vitals(then="Systolic pressure 210 mmHg is unusual", systolic=210)
    question = journey.page.get_by_label("Yes, systolic pressure 210 mmHg is right")
    expect(question).to_be_visible()
    journey.look()
    question.check()
    journey.send("Record vital signs", "Vital signs recorded.")
    expect(journey.page.get_by_text("Systolic pressure 210 mmHg: high (limit 180)")).to_be_visible()
    journey.look()


def test_a_serious_reaction_is_on_the_list_until_its_report_was_sent(nurse, treated, clock):
    treated.prepare()
    running = treated.start()
    journey = Journey(nurse, treated, clock)
    nurse.goto("/infusions/adverse-events")
    journey.look()
    expect(journey.page.get_by_text("No serious reaction here")).to_be_visible()
    journey.later(f"/patients/{treated.patient}/infusions/{running}", minutes=10)
    reaction_with_a_pause_only(journey)
    nurse.goto("/infusions/adverse-events")
    expect(journey.page.get_by_role("row", name=re.compile("Urticaria"))).to_be_visible()
    journey.look()


def reaction_with_a_pause_only(journey):
    journey.tap("Record a reaction")
    journey.page.get_by_label("Urticaria (hives)").check()
    journey.page.get_by_label("Life-threatening", exact=True).first.check()
    journey.page.get_by_label("Infusion paused").check()
    journey.send("Record reaction", "Reaction recorded.")


@pytest.mark.parametrize("step", ["/reaction", "/pace", "/observation", "/stop", "/vitals"])
def test_every_form_of_the_day_is_accessible_in_both_themes(nurse, treated, step):
    treated.prepare()
    running = treated.start()
    nurse.goto(f"/patients/{treated.patient}/infusions/{running}{step}")
    nurse.check_axe()
    assert nurse.overflow() == 0


def test_the_check_of_the_drug_is_accessible_and_never_sends_a_password_back(nurse, treated):
    nurse.goto(f"/patients/{treated.patient}/courses/{treated.course}/check")
    nurse.check_axe()
    page = nurse.page
    page.get_by_label("A colleague at this screen").check()
    page.get_by_label("E-mail address of the colleague").fill("tomas@northside.example")
    page.get_by_label("Password of the colleague").fill("not the right one")
    page.get_by_label("Lot number on the vial").fill("A1234")
    page.get_by_label("Expiry date on the vial").fill("30-Jun-2027")
    page.get_by_label("Name and date of birth").check()
    page.get_by_role("button", name="Sign the check").click()
    expect(page.get_by_text("The e-mail address or the password is not right.").first).to_be_visible()
    assert page.get_by_label("Password of the colleague").input_value() == ""
    assert page.get_by_label("Lot number on the vial").input_value() == "A1234"


def test_one_day_with_the_keyboard_only(nurse, treated, clock):
    treated.prepare()
    running = treated.start()
    journey, page = Journey(nurse, treated, clock), nurse.page
    journey.later(f"/patients/{treated.patient}/infusions/{running}", minutes=30)

    def to(name, role="link"):
        """Tab until the focus is on it, then press Enter."""
        wanted = page.get_by_role(role, name=name, exact=True).first
        for _ in range(120):
            page.keyboard.press("Tab")
            if wanted.evaluate("(element) => element === document.activeElement"):
                page.keyboard.press("Enter")
                return
        pytest.fail(f"the keyboard does not reach {name}")

    to("Take vitals now")
    page.wait_for_url(re.compile("/vitals$"))
    page.locator("#systolic").focus()
    for value in ("118", "74", "72", "98.6", "16", "98"):
        page.keyboard.type(value)
        page.keyboard.press("Enter")  # to the next number, after the last one to the button
    page.keyboard.press("Enter")
    expect(page.get_by_text("Vital signs recorded.")).to_be_visible()
    to("Pause")
    to("Pause infusion", "button")
    expect(page.get_by_text("Infusion paused.")).to_be_visible()
    journey.later(minutes=1)
    to("Resume now")
    to("Resume infusion", "button")
    expect(page.get_by_text("Infusion resumed.")).to_be_visible()
    journey.later(minutes=240)
    to("End now")
    to("Record end", "button")
    expect(page.get_by_text("Infusion ended.")).to_be_visible()
    journey.later(minutes=121)
    to("Sign discharge")
    for box in ("#stroke_advice_given", "#late_reaction_advice_given"):
        while not page.locator(box).evaluate("(element) => element === document.activeElement"):
            page.keyboard.press("Tab")
        page.keyboard.press("Space")
    to("Sign discharge", "button")
    expect(page.get_by_text("signed by Nia Brandt").first).to_be_visible()
