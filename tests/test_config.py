"""Settings are read once, and a doubtful one stops the start."""

import stat
from datetime import timedelta
from pathlib import Path

import pytest

from config import Config, ConfigError, local_secret_key

pytestmark = pytest.mark.no_database

GOOD = "q7Vw2mXz0LrT9sKc4NpHbE6yUaGfJd1o-8RiQ"


def read(tmp_path: Path, *, serving: bool = True, **env: str) -> Config:
    return Config.from_environ({"INSTANCE_PATH": str(tmp_path / "instance"), **env}, serving=serving)


def test_a_secret_is_all_a_production_start_needs(tmp_path):
    config = read(tmp_path, SECRET_KEY=GOOD)
    assert config.secret_key == GOOD
    assert config.database_url == f"sqlite:///{tmp_path}/instance/clinic_tracker.sqlite3"
    assert (config.demo, config.debug, config.testing) == (False, False, False)
    assert config.secure_cookies
    assert config.session_idle == timedelta(minutes=15)
    assert config.session_lifetime == timedelta(hours=12)
    assert not (tmp_path / "instance").exists()


def test_without_a_secret_nothing_is_served(tmp_path):
    with pytest.raises(ConfigError, match="SECRET_KEY is not set"):
        read(tmp_path)


def test_a_command_needs_no_secret_and_leaves_none_behind(tmp_path):
    first, second = read(tmp_path, serving=False), read(tmp_path, serving=False)
    assert first.secret_key != second.secret_key
    assert not (tmp_path / "instance").exists()


@pytest.mark.parametrize("switch", ["DEMO", "FLASK_DEBUG"])
def test_demo_and_debug_make_a_secret_for_this_machine_and_keep_it(tmp_path, switch):
    first = read(tmp_path, **{switch: "1"})
    second = read(tmp_path, **{switch: "1"})
    assert first.secret_key == second.secret_key
    assert len(first.secret_key) >= 32
    assert not first.secure_cookies
    assert stat.S_IMODE((tmp_path / "instance" / "secret_key").stat().st_mode) == 0o600


def test_an_empty_local_secret_is_refused(tmp_path):
    (tmp_path / "secret_key").touch()
    with pytest.raises(ConfigError, match="delete it"):
        local_secret_key(tmp_path)


@pytest.mark.parametrize(
    "secret", ["dev", "x" * 31, "a" * 64, "change-me-change-me-change-me-change-me", "SECRET_KEY_SECRET_KEY_0123456789"]
)
def test_weak_secrets_are_refused(tmp_path, secret):
    with pytest.raises(ConfigError, match=r"SECRET_KEY (is too short|looks like a placeholder)"):
        read(tmp_path, SECRET_KEY=secret)


def test_a_weak_secret_in_a_file_is_refused_too(tmp_path):
    path = tmp_path / "secret"
    path.write_text("dev\n")
    with pytest.raises(ConfigError, match="SECRET_KEY_FILE is too short"):
        read(tmp_path, SECRET_KEY_FILE=str(path))


def test_a_secret_is_read_from_its_file_without_the_line_end(tmp_path):
    path = tmp_path / "secret"
    path.write_text(GOOD + "\n")
    assert read(tmp_path, SECRET_KEY_FILE=str(path)).secret_key == GOOD


def test_a_secret_file_that_is_missing_or_empty_is_named(tmp_path):
    path = tmp_path / "secret"
    with pytest.raises(ConfigError, match=r"cannot be read: .*/secret\."):
        read(tmp_path, SECRET_KEY_FILE=str(path))
    path.touch()
    with pytest.raises(ConfigError, match=r"is empty: .*/secret\."):
        read(tmp_path, SECRET_KEY_FILE=str(path))


def test_two_secrets_are_one_too_many(tmp_path):
    with pytest.raises(ConfigError, match="keep one"):
        read(tmp_path, SECRET_KEY=GOOD, SECRET_KEY_FILE="/dev/null")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_addresses_get_the_driver(tmp_path, scheme):
    config = read(tmp_path, SECRET_KEY=GOOD, DATABASE_URL=f"{scheme}://tracker@db.internal/tracker")
    assert config.database_url == "postgresql+psycopg://tracker@db.internal/tracker"


def test_sqlite_addresses_stay_as_they_are(tmp_path):
    assert read(tmp_path, SECRET_KEY=GOOD, DATABASE_URL="sqlite:////data/t.sqlite3").database_url.endswith("/t.sqlite3")


@pytest.mark.parametrize("url", ["mysql://root@localhost/x", "tracker.sqlite3"])
def test_other_databases_are_refused(tmp_path, url):
    with pytest.raises(ConfigError, match="DATABASE_URL"):
        read(tmp_path, SECRET_KEY=GOOD, DATABASE_URL=url)


@pytest.mark.parametrize(
    "name, value",
    [
        ("DEMO", "perhaps"),
        ("SECURE_COOKIES", "2"),
        ("SESSION_IDLE_MINUTES", "0"),
        ("SESSION_IDLE_MINUTES", "soon"),
        ("SESSION_HOURS", "-1"),
        ("TRUSTED_PROXIES", "1.5"),
    ],
)
def test_a_value_that_makes_no_sense_is_named(tmp_path, name, value):
    with pytest.raises(ConfigError, match=name):
        read(tmp_path, SECRET_KEY=GOOD, **{name: value})


def test_idling_cannot_outlast_the_session(tmp_path):
    with pytest.raises(ConfigError, match="longer than SESSION_HOURS"):
        read(tmp_path, SECRET_KEY=GOOD, SESSION_IDLE_MINUTES="121", SESSION_HOURS="2")


def test_switches_and_numbers_are_read(tmp_path):
    config = read(tmp_path, SECRET_KEY=GOOD, SECURE_COOKIES="off", TRUSTED_PROXIES="1", SESSION_IDLE_MINUTES="30")
    assert not config.secure_cookies
    assert config.trusted_proxies == 1
    assert config.session_idle == timedelta(minutes=30)


MAIL = {"MAIL_FROM": "tracker@clinic.example", "PUBLIC_URL": "https://tracker.example/"}


def test_letters_are_sent_where_a_mail_server_is_set(tmp_path):
    config = read(tmp_path, SECRET_KEY=GOOD, MAIL_URL="smtp+starttls://u:p@mail.example:587", **MAIL)
    assert config.mail_url == "smtp+starttls://u:p@mail.example:587"
    assert (config.mail_from, config.public_url) == ("tracker@clinic.example", "https://tracker.example")
    assert read(tmp_path, SECRET_KEY=GOOD).mail_url is None
    assert read(tmp_path, SECRET_KEY=GOOD, MAIL_URL="smtp://localhost:2525", **MAIL).mail_url == "smtp://localhost:2525"


@pytest.mark.parametrize(
    "changed, told",
    [
        ({"MAIL_URL": "mail.example"}, "MAIL_URL is not an address"),
        ({"MAIL_URL": "smtp://"}, "MAIL_URL is not an address"),
        ({"MAIL_URL": "smtp://mail.example"}, "in the clear"),
        ({"MAIL_URL": "smtp://u:p@localhost"}, "in the clear"),
        ({"MAIL_FROM": ""}, "MAIL_FROM is missing"),
        ({"MAIL_FROM": "a@b.example\nBcc: c@d.example"}, "MAIL_FROM is missing or no address"),
        ({"PUBLIC_URL": ""}, "PUBLIC_URL is not set"),
        ({"PUBLIC_URL": "tracker.example"}, "PUBLIC_URL is not an address"),
    ],
)
def test_a_doubtful_mail_setting_stops_the_start(tmp_path, changed, told):
    with pytest.raises(ConfigError, match=told):
        read(tmp_path, **{"SECRET_KEY": GOOD, "MAIL_URL": "smtps://mail.example", **MAIL, **changed})


def test_files_of_reports_are_kept_as_long_as_is_said(tmp_path):
    assert read(tmp_path, SECRET_KEY=GOOD).reports_kept == timedelta(days=30)
    assert read(tmp_path, SECRET_KEY=GOOD, REPORT_DAYS="7").reports_kept == timedelta(days=7)
    with pytest.raises(ConfigError, match="REPORT_DAYS"):
        read(tmp_path, SECRET_KEY=GOOD, REPORT_DAYS="0")
