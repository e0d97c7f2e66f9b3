"""Hands mails over: to the terminal, or to the SMTP server that `mail:` names."""

from __future__ import annotations

import smtplib
import ssl
import sys
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any

from config.secrets import secret
from sync.deliver import Mail, SendMail
from sync.house import House

SECONDS = 20
PORTS = {"starttls": 587, "tls": 465, "none": 25}


def mail_port(house: House) -> SendMail:
    """The port that the settings in force name when a mail goes out."""

    def send(mail: Mail) -> None:
        settings = house.workspace().mail
        if settings:
            _by_smtp(house, settings, mail)
        else:
            sys.stdout.write(f"\nmail to {mail.to}: {mail.subject}\n{mail.body}\n")
            sys.stdout.flush()

    return send


def _by_smtp(house: House, settings: Mapping[str, Any], mail: Mail) -> None:
    message = _written(settings["sender"], mail)
    security = settings.get("security", "starttls")
    host, port = settings["host"], settings.get("port", PORTS[security])
    trust = ssl.create_default_context()
    opened = (
        smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=trust)
        if security == "tls"
        else smtplib.SMTP(host, port, timeout=SECONDS)
    )
    with opened as server:
        if security == "starttls":
            server.starttls(context=trust)
        if "username" in settings:
            server.login(settings["username"], secret(settings["password"], house.folder))
        server.send_message(message, to_addrs=[mail.to])


def _written(sender: str, mail: Mail) -> EmailMessage:
    """The mail as a message. Raises OSError where it can't be written to this one address."""
    message = EmailMessage()
    try:
        message["From"], message["To"], message["Subject"] = sender, mail.to, mail.subject
        message.set_content(mail.body)
        reads = [each.addr_spec for each in message["To"].addresses]
    # The library's reader of addresses ends on odd ones with whatever it trips over.
    except (ValueError, LookupError, AttributeError, TypeError):
        reads = []
    # INVARIANT: a mail that can't be written fails alone, as an unreachable address does, and goes to nobody else.
    if reads != [mail.to]:
        raise OSError("this can't be written into a mail to one address")
    return message
