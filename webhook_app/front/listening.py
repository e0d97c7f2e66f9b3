"""Listens on one address: Granian around a front.

Granian is embedded and given the application itself. Started by its command it looks a module up by name, and for that
puts the working folder first on the path: a customer's own `config.py` would pass for ours.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server

from webhook_app.front.front import Front

CONNECTIONS = 1024


async def listen(front: Front, address: str) -> None:
    """Serve a front at `host:port` until SIGTERM; requests that are being answered end first."""
    host, _, port = address.rpartition(":")
    server = Server(
        front,
        host.strip("[]"),
        int(port),
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        backlog=CONNECTIONS,
        backpressure=CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=10_000, max_buffer_size=64 << 10),
        log_level=LogLevels.error,
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    await server.serve()


def refuse_taken(address: str) -> None:
    """Exit where another program listens there: the server itself would share the port with it and say nothing."""
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), int(port)))
        except OSError as problem:
            sys.exit(f"can't listen on {address}: {problem.strerror}; stop the other program or change `serve:`")
