"""Commands that stay up: serve, demo."""

from __future__ import annotations

from pathlib import Path

import click

from config.folder import read_folder
from sync.versions.applied import drift
from webhook_app.console.people import welcome_vendor_users
from webhook_app.terminal.commands import house_of, in_workspace, out


@click.command("serve")
@click.option(
    "--workers", type=click.IntRange(1, 32), default=1, show_default=True, help="More than 1 needs PostgreSQL."
)
@in_workspace
def serve_command(folder: Path, workers: int) -> None:
    """Run the partner door, the console and the schedule until Ctrl-C."""
    from webhook_app.front.serve import serve

    house = house_of(folder)
    serving = house.settings().serving
    if changed := drift(house, read_folder(folder)):
        out.print(f"note: not in force yet, run `sudare apply`: {', '.join(changed)}")
    out.print(f"partners  {serving.partner_url}\nconsole   {serving.vendor_url}")
    for email, link in welcome_vendor_users(house):
        out.print(f"first link for {email}, once, one hour: {link}")
    house.engine.dispose()
    raise click.exceptions.Exit(serve(folder, workers=workers))


@click.command("demo")
@click.option("--check", "checking", is_flag=True, help="Play the story by itself over HTTP, and end.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".demo"),
    show_default=True,
    help="Where it keeps its files; made anew each time.",
)
def demo_command(checking: bool, folder: Path) -> None:
    """Show the main job on this machine: a sandbox CRM, two partners, the console. No account, no server to install."""
    from webhook_app.terminal.demo import stay
    from webhook_app.terminal.demo_story import play

    raise click.exceptions.Exit(play(folder.resolve()) if checking else stay(folder.resolve()))


COMMANDS = (serve_command, demo_command)
