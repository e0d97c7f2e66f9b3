"""What every command of `sudare` shares: its workspace, its words, and its way to refuse."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import OperationalError

from config.connections import Connections, open_connections
from connectors.base import CrmError
from mapping.model import Broken, Problem
from sync.access import Ambiguous
from sync.house import House, NotApplied, open_house
from sync.projection.shown import Updating
from sync.store.vault import vaults

out = Console(highlight=False, soft_wrap=True, markup=False)  # a deal may well be called [urgent]
Command = TypeVar("Command", bound=Callable[..., Any])


class Refused(click.ClickException):
    """What a command says before it ends with 1."""

    def show(self, file: Any = None) -> None:
        """On the error stream, as it is."""
        click.echo(self.message, err=True)


def in_workspace(command: Command) -> Command:
    """Give a command `--workspace DIR`, and end it with a sentence where something is wrong."""

    @click.option(
        "--workspace",
        "folder",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path(),
        show_default="this folder",
        metavar="DIR",
        help="Folder with sudare.yaml.",
    )
    @wraps(command)
    def run(*args: Any, folder: Path, **options: Any) -> Any:
        try:
            return command(*args, folder=folder.resolve(), **options)
        except Broken as broken:
            raise Refused(told(broken.problems)) from broken
        except (NotApplied, Ambiguous, Updating, CrmError) as problem:
            raise Refused(str(problem)) from problem
        except OperationalError as problem:
            raise Refused(unusable(problem)) from problem

    return run  # type: ignore[return-value] # the wrapper keeps the signature but for `folder`


def unusable(problem: OperationalError) -> str:
    """Why the database can't be used, and what to do; the driver's first line, which holds no secret."""
    why = str(problem.orig).partition("\n")[0].strip()
    if "locked" in why:
        return f"the database is in use: {why}; try again when the other command has ended"
    return f"the database can't be used: {why}; start it, or mend `database:` in sudare.yaml"


def told(problems: list[Problem]) -> str:
    """Problems, a line each, and how many."""
    return "\n".join([*map(str, problems), counted(len(problems))])


def counted(problems: int) -> str:
    """The last line below them."""
    return f"{problems} problem{'s' if problems != 1 else ''}"


def house_of(folder: Path) -> House:
    """The workspace's house, with its tables brought up to date."""
    from sync.store.migrate import is_current, migrate

    house = open_house(folder)
    if not is_current(house):  # a command that only reads waits for nobody who writes
        migrate(house)
    return house


@contextmanager
def visited(folder: Path) -> Iterator[House]:
    """The workspace's house, its tables as they are; its engine is given back when the block ends."""
    house = open_house(folder)
    try:
        yield house
    finally:
        house.engine.dispose()


def connections_of(house: House) -> Connections:
    """The connections of the configuration in force."""
    return open_connections(house.workspace(), house.folder, vaults(house))


def account() -> str:
    """The account of the machine that runs this command, by its short name, or as `uid 501` where it has none."""
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
    # INVARIANT: who is at the terminal is told by the operating system; LOGNAME and USER say what anybody likes.
    return name.rpartition("\\")[2].partition("@")[0]


def table(title: str, *columns: str) -> Table:
    """An empty table for the terminal."""
    made = Table(title=title, title_justify="left", show_edge=False, pad_edge=False, box=None, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def when(condition: str) -> str:
    """A rule's condition as part of a sentence: `always`, or `when partner.tier == 'gold'`."""
    return "always" if condition == "true" else f"when {condition}"
