"""Clinics and people by command."""

import json

import pytest


def run(runner, *arguments, text=None):
    result = runner.invoke(args=list(arguments), input=text)
    return result.exit_code, result.stdout.strip(), result.stderr.strip()


CLINIC = ("--slug", "east", "--name", "East Clinic", "--time-zone", "Pacific/Honolulu", "--protocol", "lemtrada-us")
PERSON = ("--email", "ana@east.example", "--name", "Ana Lee", "--clinic", "east", "--role", "staff")


def test_a_clinic_is_added_and_listed(app, runner):
    assert run(runner, "clinics", "create", *CLINIC)[0] == 0

    status, output, _complaint = run(runner, "clinics", "list", "--format", "json")

    assert status == 0
    assert [(row["slug"], row["protocol_id"], row["patients"]) for row in json.loads(output)] == [
        ("east", "lemtrada-us", 0)
    ]
    assert "East Clinic" in run(runner, "clinics", "list")[1]


@pytest.mark.parametrize(
    "option, value",
    [("--slug", "East Clinic"), ("--time-zone", "Honolulu"), ("--protocol", "lemtrada"), ("--name", " ")],
)
def test_bad_input_is_one_line_and_exit_2(app, runner, option, value):
    arguments = list(CLINIC)
    arguments[arguments.index(option) + 1] = value

    status, output, complaint = run(runner, "clinics", "create", *arguments)

    assert (status, output) == (2, "")
    assert len(complaint.splitlines()) == 1
    assert run(runner, "clinics", "list", "--format", "json")[1] == "[]"


def test_a_slug_is_taken_once(app, runner):
    run(runner, "clinics", "create", *CLINIC)

    status, _output, complaint = run(runner, "clinics", "create", *CLINIC)

    assert status == 2
    assert "east" in complaint


def test_a_new_person_gets_a_one_time_password_alone_on_standard_output(app, runner, page):
    run(runner, "clinics", "create", *CLINIC)

    status, password, complaint = run(runner, "users", "create", *PERSON)

    assert status == 0
    assert len(password.split()) == 1
    assert "ana@east.example" in complaint
    page.submit("/sign-in", email="ana@east.example", password=password)
    assert page.get("/today", status=303).location.endswith("/password")


def test_a_password_is_read_from_standard_input(app, runner, page):
    run(runner, "clinics", "create", *CLINIC)

    status, output, _complaint = run(
        runner, "users", "create", *PERSON, "--password-stdin", text="walnut-signal-orbit-77\n"
    )

    assert (status, output) == (0, "")
    page.submit("/sign-in", email="ana@east.example", password="walnut-signal-orbit-77")
    page.get("/today")


@pytest.mark.parametrize("text", ["", "short\n", "password1234\n"])
def test_a_password_that_will_not_do_adds_nobody(app, runner, text):
    run(runner, "clinics", "create", *CLINIC)

    assert run(runner, "users", "create", *PERSON, "--password-stdin", text=text)[0] == 2

    assert run(runner, "users", "create", *PERSON)[0] == 0


def test_an_unknown_clinic_and_role_are_refused(app, runner):
    assert run(runner, "users", "create", *PERSON)[0] == 2
    assert run(runner, "users", "create", *PERSON[:-1], "chief")[0] == 2


@pytest.mark.parametrize(
    "command",
    [
        ("clinics", "create"),
        ("clinics", "list"),
        ("users", "create"),
        ("histories", "import"),
        ("histories", "export"),
        ("worklist", "export"),
        ("schedule", "forecast"),
        ("schedule", "check"),
        ("schedule", "rebuild"),
        ("demo", "load"),
    ],
    ids=" ".join,
)
def test_every_command_explains_itself_with_an_example(app, runner, command):
    status, output, _complaint = run(runner, *command, "--help")

    assert status == 0
    assert "Example: flask" in output


@pytest.mark.parametrize(
    "arguments",
    [("clinics", "create", "--slug", "x"), ("schedule", "check", "--nope"), ("demo", "load", "--patients", "many")],
    ids=" ".join,
)
def test_a_wrong_option_is_told_in_one_line(app, runner, arguments):
    status, output, complaint = run(runner, *arguments)

    assert (status, output) == (2, "")
    assert len(complaint.splitlines()) == 1


def test_whoever_runs_the_server_gives_a_new_password_to_anybody(app, runner, cast, page):
    status, password, _complaint = run(runner, "users", "password", "--email", cast.stranger.email)

    assert status == 0
    page.submit("/sign-in", email=cast.stranger.email, password=password)
    assert page.get("/today", status=303).location.endswith("/password")


def test_a_password_for_nobody_is_refused_in_one_line(app, runner):
    status, output, complaint = run(runner, "users", "password", "--email", "nobody@nowhere.example")

    assert (status, output) == (2, "")
    assert "nobody@nowhere.example" in complaint
