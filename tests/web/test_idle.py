"""Idle sign-out: people put it off, pages that refresh themselves do not."""


def test_requests_of_a_person_keep_the_session(page, cast, clock):
    page.sign_in(cast.staff)
    for _ in range(4):
        clock.forward(minutes=10)
        page.get("/patients")


def test_a_page_that_refreshes_itself_does_not_put_off_the_sign_out(page, cast, clock):
    page.sign_in(cast.staff)
    clock.forward(minutes=10)
    page.get("/patients", headers={"X-Background": "1"})
    clock.forward(minutes=6)
    answer = page.get("/patients", status=303)
    assert answer.location.startswith("/sign-in")


def test_the_warning_can_be_answered(page, cast, clock):
    page.sign_in(cast.staff)
    clock.forward(minutes=14)
    page.post("/keep-alive", status=204)
    clock.forward(minutes=14)
    page.get("/patients")
