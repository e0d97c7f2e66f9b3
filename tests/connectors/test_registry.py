"""Connectors are opened by kind, and imported when they are used."""

from __future__ import annotations

import subprocess
import sys

import pytest

from connectors.base import ConnectionSettings, NeedsAdmin
from connectors.registry import kinds, open_connection, open_installer


def test_all_kinds_of_crm_are_known() -> None:
    assert {"files", "hubspot", "salesforce"} <= set(kinds())


def test_an_unknown_kind_is_named_with_those_that_are_known() -> None:
    with pytest.raises(NeedsAdmin, match=r"connection `x`: unknown kind `siebel`; known are files, hubspot, sales"):
        open_connection(ConnectionSettings("x", "siebel", {}, str))


def test_a_crm_that_needs_nothing_installed_says_so() -> None:
    with pytest.raises(NeedsAdmin, match="there is nothing to install for kind files"):
        open_installer(ConnectionSettings("exports", "files", {}, str))


def test_no_crm_library_is_imported_before_an_org_is_asked() -> None:
    code = (
        "import sys; from connectors.base import ConnectionSettings; from connectors.registry import open_connection\n"
        "auth = {'flow': 'client_credentials', 'client_id': 'x', 'client_secret': 'env:X'}\n"
        "options = {'login_url': 'https://127.0.0.1:1', 'auth': auth}\n"
        "open_connection(ConnectionSettings('sf', 'salesforce', options, str))\n"
        "print([name for name in ('simple_salesforce', 'hubspot', 'connectors.hubspot') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
