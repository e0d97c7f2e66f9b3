"""Mails go out over a real SMTP conversation: encrypted first, signed in, with a link and no deal data in them."""

from __future__ import annotations

import base64
import re
import socketserver
import threading
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from agreed import put_in_force

from config.folder import read_folder
from connectors.sandbox.tls import CA_FILE, server_context
from sync.access import sign_in_link
from sync.deliver import deliver
from sync.store.schema import mails, people
from webhook_app.mail import mail_port

PASSWORD = "smtp-password-canary"


class Conversation(socketserver.StreamRequestHandler):
    """As much of RFC 5321, 3207 and 4954 as a client needs; what was said in clear text is kept apart."""

    server: PostOffice

    def handle(self) -> None:
        self._say("220 here")
        while line := self.rfile.readline().decode().strip():
            verb = line.split()[0].upper()
            self.server.said.append((self.server.encrypted, line))
            if verb == "EHLO":
                self._say("250-here\r\n250 AUTH PLAIN" if self.server.encrypted else "250-here\r\n250 STARTTLS")
            elif verb == "STARTTLS":
                self._say("220 go ahead")
                try:
                    self.request = self.server.trust.wrap_socket(self.request, server_side=True)
                except OSError:
                    return  # the client does not trust us
                self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", buffering=0)
                self.server.encrypted = True
            elif verb == "AUTH":
                self.server.credentials = base64.b64decode(line.split()[2])
                self._say("235 welcome")
            elif verb == "DATA":
                self._say("354 go on")
                self.server.mails.append(self._body())
                self._say("250 taken")
            else:
                self._say("221 bye" if verb == "QUIT" else "250 fine")

    def finish(self) -> None:
        super().finish()
        self.request.close()  # after STARTTLS no longer the socket that the server knows

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def _body(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)


class PostOffice(socketserver.TCPServer):
    """One SMTP server on loopback that hears one conversation at a time."""

    allow_reuse_address = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.trust = server_context(folder)
        self.encrypted = False
        self.said: list[tuple[bool, str]] = []
        self.mails: list[bytes] = []
        self.credentials = b""


@pytest.fixture
def office(tmp_path):
    with PostOffice(tmp_path) as office:
        thread = threading.Thread(target=office.serve_forever, daemon=True)
        thread.start()
        yield office
        office.shutdown()
        thread.join(5)


@pytest.fixture
def house(world, office):
    """The house, whose mails go to our post office."""
    (world.folder / ".sudare" / "smtp").write_text(PASSWORD, encoding="utf-8")
    settings = world.folder / "sudare.yaml"
    mail = (
        f"mail: {{host: 127.0.0.1, port: {office.server_address[1]}, sender: partners@aozora.example, "
        "username: partners, password: file:.sudare/smtp}\n"
    )
    settings.write_text(settings.read_text("utf-8") + mail, "utf-8")
    put_in_force(world, read_folder(world.folder), "admin@aozora.example")
    return world


def test_a_mail_travels_encrypted_to_a_server_that_is_trusted_and_holds_a_link_alone(
    house, office, tmp_path, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / CA_FILE))
    sign_in_link(house, "sato@minato.example", "partner")
    assert deliver(house, mail_port(house)) == 1
    (mail,) = (message_from_bytes(each, policy=policy.default) for each in office.mails)
    text = mail.get_content()
    assert mail["To"] == "sato@minato.example"
    assert mail["Subject"] == "青空ソフトウェア: サインイン"
    assert len(re.findall(r"/l/\S+", text)) == 1
    assert "北辰" not in text + mail["Subject"]
    assert office.credentials == b"\0partners\0" + PASSWORD.encode()
    assert [line for encrypted, line in office.said if not encrypted][1:] == ["STARTTLS"]


def test_a_server_that_nobody_vouches_for_gets_neither_password_nor_mail_and_the_mail_waits(house, office, rows):
    sign_in_link(house, "sato@minato.example", "partner")
    assert deliver(house, mail_port(house)) == 0
    assert (office.mails, office.credentials) == ([], b"")
    assert [(row["state"], row["problem"]) for row in rows(house, mails)] == [("due", "SSLCertVerificationError")]


@pytest.mark.parametrize("unreadable", ["sato@[", "sato@", '"', "=?utf-8?b??=", "sato@minato.example,eve@evil.example"])
def test_an_address_that_no_mail_can_be_written_to_holds_up_nobody_elses_mail_and_leads_to_no_other(
    house, office, tmp_path, monkeypatch, rows, unreadable
):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / CA_FILE))
    for address in ("sato@minato.example", "kim@hanbit.example"):
        sign_in_link(house, address, "partner")
    with house.writing() as tx:  # as an older release let it in
        here = people.c.email == "sato@minato.example"
        tx.execute(people.update().where(here).values(email=unreadable))
    assert deliver(house, mail_port(house)) == 1
    assert [message_from_bytes(each)["To"] for each in office.mails] == ["kim@hanbit.example"]
    assert not any("evil" in line for _, line in office.said)
    assert sorted((row["state"], row["problem"]) for row in rows(house, mails)) == [("due", "OSError"), ("sent", None)]
