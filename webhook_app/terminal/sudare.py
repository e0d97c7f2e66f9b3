"""`sudare`: the commands a sales admin types. Puts the house together."""

from __future__ import annotations

import sys

import click

from webhook_app.terminal import checks, crm, ledger, partners, plans, recalls, serving, workspace


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="sudare")
def main() -> None:
    """Show partners their deals, field by field, and bring what they do back to the CRM.

    Start with `sudare init DIR --crm salesforce`, edit the YAML files, `sudare check`, `sudare apply`, then
    `sudare serve`. To look first: `sudare demo`.
    """
    # Names in three scripts: a pipe to a file must not fail on them.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


for _room in (workspace, plans, crm, partners, ledger, recalls, serving, checks):
    for _command in _room.COMMANDS:
        main.add_command(_command)
