"""sudare.yaml: who we are, where things are kept, which CRMs are read, and who may speak to us."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from config.positions import Located
from config.problems import validated
from config.settings_words import SudareWords
from config.workspace import ConnectionRow, Serving, Settings, Source
from mapping.model import Problem


def read_settings(read: Located, problems: list[Problem]) -> Settings | None:
    """sudare.yaml as nouns, or None where something in it is wrong."""
    words = validated(SudareWords(), read, problems)
    if words is None:
        return None
    languages = tuple(dict.fromkeys(words.get("languages", ("en",))))
    serve = words.get("serve", {})
    partner, vendor = serve.get("partner", "127.0.0.1:8600"), serve.get("vendor", "127.0.0.1:8601")
    return Settings(
        vendor=words["vendor"],
        database=words.get("database", "sqlite:///sudare.db"),
        timezone=ZoneInfo(words["timezone"]),
        fiscal_year_starts=words.get("fiscal_year_starts", 1),
        languages=languages,
        connections={
            name: ConnectionRow(
                name=name,
                kind=each["kind"],
                options=each,
                timezone=ZoneInfo(each.get("timezone", words["timezone"])),
                language=each.get("language", languages[0]),
                place=read.key("connections", name),
            )
            for name, each in words["connections"].items()
        },
        sources={
            name: Source(
                name=name,
                secrets=each.get("secrets", ()),
                partner=each.get("partner"),
                vendor=each.get("vendor", False),
                basic_key=each.get("basic_key"),
                place=read.key("sources", name),
            )
            for name, each in words.get("sources", {}).items()
        },
        vendor_users={mail: (each["name"], each["role"]) for mail, each in words.get("vendor_users", {}).items()},
        serving=Serving(
            partner_address=partner,
            vendor_address=vendor,
            partner_url=serve.get("partner_url", f"http://{partner}").rstrip("/"),
            vendor_url=serve.get("vendor_url", f"http://{vendor}").rstrip("/"),
        ),
        mail=words.get("mail", {}),
        four_eyes=words.get("four_eyes", True),
        keep_years=words.get("ledger", {}).get("keep_years", 3),
    )
