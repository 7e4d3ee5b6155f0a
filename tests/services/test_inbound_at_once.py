"""Two connections send the same in the same moment; and what a database complains of names nobody. On both of them."""

import threading
import traceback

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from clinic_tracker.domain.vocabulary import InboundKind
from clinic_tracker.integrations.inbox import receive
from clinic_tracker.models.base import db
from clinic_tracker.models.inbound import InboundMessage
from clinic_tracker.models.patients import Patient
from tests.factories import register
from tests.inbound import add_source, reports_of
from tests.inbound_texts import oru

CONNECTIONS = 4


def at_once(app, act):
    """What an act gives in several threads that begin together."""
    gate, given = threading.Barrier(CONNECTIONS), []

    def run():
        with app.app_context():
            gate.wait()
            try:
                given.append(act())
            except Exception as error:  # noqa: BLE001 - the test looks at it
                given.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return given


@pytest.mark.parametrize("_again", range(3))
def test_the_same_bytes_at_once_are_taken_once_and_answered_everywhere(app, scope_for, cast, _again):
    scope = scope_for(cast.staff)
    patient = register(scope).row
    source = add_source(scope, "City Lab", InboundKind.HL7).public_id
    raw = oru(patient)
    db.session.commit()
    answers = at_once(app, lambda: receive(scope, source, raw))
    assert sorted(one.known for one in answers) == [False, True, True, True]
    assert {one.answer for one in answers if b"|AA|" in one.answer} == {one.answer for one in answers}
    assert (len(reports_of(patient, None)), db.session.query(InboundMessage).count()) == (1, 1)


def test_an_error_of_the_database_shows_no_value(scope_for, cast):
    row = register(scope_for(cast.staff), family_name="Quillfeather", mrn="SECRET-4711").row
    copy = {column.name: getattr(row, column.name) for column in Patient.__table__.columns}
    copy["id"] += 1000
    with pytest.raises(IntegrityError) as caught:
        db.session.execute(insert(Patient), [copy])
    db.session.rollback()
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(caught.value.orig)
    assert "SECRET-4711" not in told
    assert "Quillfeather" not in told
    assert str(row.public_id) not in told
