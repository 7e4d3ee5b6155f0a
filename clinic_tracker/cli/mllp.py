"""``flask mllp``: a server for laboratories that send HL7 over MLLP. Every message is answered after its commit."""

import asyncio
import signal
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from hl7.mllp import InvalidBlockError, start_hl7_server

from clinic_tracker.cli.support import PlainCommand, clinic_scope, fail, plain_errors
from clinic_tracker.domain.errors import RuleViolation
from clinic_tracker.domain.messages import Outcome, Problem, Reason
from clinic_tracker.domain.vocabulary import InboundKind
from clinic_tracker.integrations.hl7v2 import acknowledge
from clinic_tracker.integrations.inbox import receive
from clinic_tracker.queries.inbound import find_source
from clinic_tracker.services.inbound_sources import add_source

ACTOR = "mllp"
LARGEST = 16 * 1024 * 1024
MOST_CONNECTIONS = 32
WORKERS = 4
IDLE_SECONDS = 300.0
WRITE_SECONDS = 30.0
STOP_SECONDS = 20.0
Take = Callable[[bytes], bytes]
Clock = Callable[[], datetime]


@dataclass(slots=True)
class Server:
    """Reads blocks, has them recorded in a thread, and writes the answers."""

    take: Take
    clock: Clock
    idle: float = IDLE_SECONDS
    most: int = MOST_CONNECTIONS
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    busy: set[asyncio.Task[Any]] = field(default_factory=set)
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(WORKERS))

    async def start(self, host: str, port: int) -> asyncio.Server:
        """Listen. Port 0 is any free one."""
        server: asyncio.Server = await start_hl7_server(self.connected, host, port, limit=LARGEST)
        return server

    async def stop(self, server: asyncio.Server) -> None:
        """Take no more connections, end the idle ones, and let what is being recorded be answered."""
        server.close()
        for task in self.tasks - self.busy:
            task.cancel()
        if self.busy:
            await asyncio.wait(self.busy, timeout=STOP_SECONDS)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.pool.shutdown(wait=True)

    async def connected(self, reader: Any, writer: Any) -> None:
        """One connection, until the other side closes it or is silent for too long."""
        task = asyncio.current_task()
        assert task is not None
        if len(self.tasks) >= self.most:
            writer.close()
            return
        self.tasks.add(task)
        try:
            while await self._one_block(task, reader, writer):
                pass
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.tasks.discard(task)
            self.busy.discard(task)
            writer.close()

    async def _one_block(self, task: asyncio.Task[Any], reader: Any, writer: Any) -> bool:
        """Read a message and answer it; False when what came is no message and the connection is to end."""
        try:
            block = await asyncio.wait_for(reader.readblock(), self.idle)
        except InvalidBlockError:
            answer, good = refused(b"", "This is not an MLLP block.", Reason.UNSUPPORTED, self.clock()), False
        except ValueError:
            answer, good = refused(b"", "This message is too large.", Reason.TOO_LARGE, self.clock()), False
        else:
            self.busy.add(task)
            answer, good = await asyncio.get_running_loop().run_in_executor(self.pool, self.take, block), True
        writer.writeblock(answer)
        await asyncio.wait_for(writer.drain(), WRITE_SECONDS)
        self.busy.discard(task)
        return good


def refused(raw: bytes, words: str, reason: Reason, now: datetime) -> bytes:
    """An acknowledgment that takes nothing."""
    outcome = Outcome(0, taken=False, problems=(Problem("", words, reason),), entries=(0,))
    return acknowledge(raw, [outcome], now)


def taker(app: Flask, slug: str, channel: str, source: uuid.UUID) -> Take:
    """What records a message and gives its answer; runs in a thread."""

    def take(block: bytes) -> bytes:
        with app.app_context():
            scope = clinic_scope(slug, f"{ACTOR}: {channel}")
            try:
                return receive(scope, source, block).answer
            except RuleViolation as violation:
                return refused(block, violation.message, Reason.UNSUPPORTED, scope.now)
            except Exception:  # whatever it was, the sender is told to send it again
                app.logger.exception("A message could not be kept")
                return refused(block, "It could not be kept: send it again.", Reason.NOT_STORED, scope.now)

    return take


@click.command("mllp", cls=PlainCommand)
@click.option("--clinic", "slug", required=True, help="Slug of the clinic.")
@click.option("--channel", required=True, help="Name of the source; one that is new is added.")
@click.option("--port", type=click.IntRange(1, 65535), required=True, help="Port to listen on.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; by default this machine.")
@with_appcontext
def group(slug: str, channel: str, port: int, host: str) -> None:
    """Take HL7 v2 over MLLP and answer AA, AE or AR after the commit. Put TLS (stunnel, a VPN) in front of it.

    Example: flask mllp --clinic northside --channel "City Lab" --port 2575
    """
    with plain_errors():
        scope = clinic_scope(slug, ACTOR)
        known = find_source(scope, " ".join(channel.split()))
        if known is not None and known.kind != InboundKind.HL7:
            fail(f"--channel: {channel} sends {known.kind}, not HL7.")
        source = known.public_id if known else add_source(scope, channel, InboundKind.HL7)
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - for the threads
    try:
        asyncio.run(_serve(Server(taker(app, slug, channel, source), app.extensions["clock"]), host, port))
    except OSError as error:
        fail(f"--port: {host}:{port} cannot be listened on ({error.strerror or error}).")


async def _serve(server: Server, host: str, port: int) -> None:
    """Serve until asked to stop."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopping.set)
    listening = await server.start(host, port)
    click.echo(f"Listening on {host}:{port}")
    await stopping.wait()
    await server.stop(listening)
    click.echo("Stopped")
