"""What runs in the children of `sudare serve`: a door, or the scheduler."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Event, Thread
from wsgiref.types import WSGIApplication

from mapping.model import Broken
from sync.house import House, NotApplied, open_house
from webhook_app.front.front import Front
from webhook_app.front.listening import listen, refuse_taken

log = logging.getLogger(__name__)

UNREAD_SECONDS = 10.0  # between two looks at a configuration that can't be read
STOP_SECONDS = 8.0


def partner_door(house: House) -> WSGIApplication:
    """Portal, API and hooks: one origin."""
    from webhook_app.partner.app import create_partner_app

    return create_partner_app(house)


def vendor_door(house: House) -> WSGIApplication:
    """The console: an origin of its own."""
    from webhook_app.console.app import create_console_app

    return create_console_app(house)


DOORS: dict[str, Callable[[House], WSGIApplication]] = {"partner": partner_door, "vendor": vendor_door}


def run_door(name: str, folder: str, looks: bool) -> None:
    """Serve one door in this process until it is told to stop; it `looks` first whether its port is taken."""
    _settle()
    door = name.partition("-")[0]
    house = open_house(Path(folder))
    try:
        serving = house.settings().serving
    except NotApplied as problem:
        sys.exit(str(problem))
    address = getattr(serving, f"{door}_address")
    if looks and door == name:
        refuse_taken(address)
    asyncio.run(listen(Front(DOORS[door](house), getattr(serving, f"{door}_url")), address))
    house.engine.dispose()
    os._exit(0)  # all that was asked is answered; a request that hangs must not keep the process


def run_schedule(_name: str, folder: str, _looks: bool) -> None:
    """Run the scheduler in this process until it is told to stop."""
    from config.connections import open_connections
    from sync.schedule import run_scheduler
    from sync.store.vault import vaults
    from webhook_app.mail import mail_port

    _settle()
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    house = open_house(Path(folder))
    while not stop.is_set():
        try:
            run_scheduler(house, partial(open_connections, vault=vaults(house)), stop, mail_port(house))
        except NotApplied as problem:
            sys.exit(str(problem))
        except Broken:  # who can put another version in force needs the doors that stand beside us
            log.error("this release can't read the configuration in force: nothing runs until another one is")
            stop.wait(UNREAD_SECONDS)
    os._exit(0)  # a job that waits for its CRM is idempotent: it begins again at the next start


def _settle() -> None:
    """Leave stopping to the parent, and stop when it is gone; what is written is for our own account alone."""
    os.umask(0o077)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    Thread(target=_end_with_parent, name="parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STOP_SECONDS)
        os._exit(1)
