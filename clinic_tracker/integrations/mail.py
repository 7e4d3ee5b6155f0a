"""Sending a letter by SMTP."""

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Self
from urllib.parse import unquote, urlsplit

SECONDS = 20.0
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
NO_ADDRESS = "a mail server is written as smtp+starttls://user:password@host:587, smtps://… or smtp://…"


class NotSent(Exception):
    """A letter was not taken. The text says why in words that name nobody."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where letters are handed in, and whose they are."""

    scheme: str
    host: str
    port: int
    user: str
    password: str
    sender: str

    @classmethod
    def from_url(cls, url: str, sender: str) -> Self:
        """Read ``smtp+starttls://user:password@host:587``; ValueError for anything else."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError(NO_ADDRESS)
        port = parts.port or PORTS[parts.scheme]
        return cls(
            parts.scheme, parts.hostname, port, unquote(parts.username or ""), unquote(parts.password or ""), sender
        )

    def send(self, to: str, subject: str, text: str) -> None:
        """Hand in one letter; NotSent where it was not taken."""
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = self.sender, to, " ".join(subject.split())
        letter["Date"], letter["Auto-Submitted"] = formatdate(), "auto-generated"
        letter["Message-ID"] = make_msgid(domain=self.sender.rpartition("@")[2] or None)
        letter.set_content(text)
        try:
            with self._connected() as server:
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(letter)
        except smtplib.SMTPRecipientsRefused as error:
            codes = sorted({code for code, _words in error.recipients.values()})
            raise NotSent(f"The mail server refused the recipient ({', '.join(map(str, codes))}).") from error
        except smtplib.SMTPResponseException as error:
            raise NotSent(f"The mail server refused the letter ({error.smtp_code}).") from error
        except (smtplib.SMTPException, OSError) as error:
            raise NotSent(f"The mail server cannot be reached ({type(error).__name__}).") from error

    def _connected(self) -> smtplib.SMTP:
        if self.scheme == "smtps":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=SECONDS, context=ssl.create_default_context())
        server = smtplib.SMTP(self.host, self.port, timeout=SECONDS)
        if self.scheme == "smtp+starttls":
            server.starttls(context=ssl.create_default_context())
        return server
