"""``flask mllp``: every message is answered after its commit, and a broken connection breaks nothing else."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from hl7.mllp import open_hl7_connection

from clinic_tracker.cli.mllp import Server, taker
from clinic_tracker.domain.vocabulary import InboundKind
from clinic_tracker.models.base import db
from clinic_tracker.services.inbound_sources import add_source
from tests.factories import register
from tests.inbound import reports_of
from tests.inbound_texts import oru


@pytest.fixture
def patient(scope_for, cast):
    return register(scope_for(cast.staff)).row


@pytest.fixture
def take(app, scope_for, cast):
    source = add_source(scope_for(cast.administrator), "City Lab", InboundKind.HL7)
    return taker(app, "northside", "City Lab", source)


def talk(server, conversation):
    """Start the server, talk to it, stop it; what the conversation gives."""

    async def all_of_it():
        listening = await server.start("127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        try:
            return await asyncio.wait_for(conversation(port), 20)
        finally:
            await server.stop(listening)

    # In a thread of its own: where a browser is driven, this one has a loop that runs.
    with ThreadPoolExecutor(1) as elsewhere:
        return elsewhere.submit(lambda: asyncio.run(all_of_it())).result()


def sending(*blocks):
    async def conversation(port):
        reader, writer = await open_hl7_connection("127.0.0.1", port)
        answers = []
        for block in blocks:
            writer.writeblock(block)
            answers.append(await reader.readblock())
        writer.close()
        return answers

    return conversation


def test_messages_of_one_connection_are_recorded_and_acknowledged(take, clock, patient):
    first = oru(patient, control="A")
    second = oru(patient, control="B", filler="F2", day="20260111")
    answers = talk(Server(take, clock), sending(first, second))
    assert [b"MSA|AA|A" in answers[0], b"MSA|AA|B" in answers[1]] == [True, True]
    db.session.rollback()  # to see what the threads have committed
    assert len(reports_of(patient)) == 2


def test_the_same_message_again_is_answered_again(take, clock, patient):
    answers = talk(Server(take, clock), sending(oru(patient), oru(patient)))
    assert all(b"MSA|AA|M1" in answer for answer in answers)
    db.session.rollback()
    assert len(reports_of(patient, None)) == 1


def test_what_cannot_be_read_is_answered_with_an_error(take, clock, patient):
    (answer,) = talk(Server(take, clock), sending(b"MSH|^~\\&|LIS|LAB|||20260112||ORU^R01|X1|P|2.5.1\r"))
    assert b"MSA|AE|X1" in answer or b"MSA|AR|X1" in answer


def test_what_cannot_be_kept_is_answered_so_that_it_is_sent_again(take, clock, patient, monkeypatch):
    def broken(*_):
        raise RuntimeError

    monkeypatch.setattr("clinic_tracker.cli.mllp.receive", broken)
    (answer,) = talk(Server(take, clock), sending(oru(patient)))
    assert b"MSA|AR|M1" in answer


def test_bytes_without_a_frame_end_the_connection(take, clock):
    async def conversation(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n\x1c\r")
        answer = await reader.read()
        writer.close()
        return answer

    assert b"MSA|AR" in talk(Server(take, clock), conversation)


def test_a_silent_connection_ends(take, clock):
    async def conversation(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        ended = await reader.read()
        writer.close()
        return ended

    assert talk(Server(take, clock, idle=0.05), conversation) == b""


def test_there_are_not_more_connections_than_allowed(take, clock, patient):
    async def conversation(port):
        first_reader, first = await open_hl7_connection("127.0.0.1", port)
        first.writeblock(oru(patient))
        assert b"MSA|AA" in await first_reader.readblock()
        second_reader, second = await asyncio.open_connection("127.0.0.1", port)
        assert await second_reader.read() == b""
        first.close()
        second.close()

    talk(Server(take, clock, most=1), conversation)
