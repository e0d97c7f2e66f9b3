"""The story in the HubSpot account: the same ideas with other companies, smaller. The order makes the ids."""

from __future__ import annotations

from connectors.sandbox.salesforce.seed import Table

OWNERS: Table = {
    "KAGAMI": {"email": "y.kagami@aozora.example", "firstName": "ゆら", "lastName": "鏡味"},
    "BYEOL": {"email": "byeol.na@aozora.example", "firstName": "별", "lastName": "나"},
    "FAIRWEATHER": {"email": "o.fairweather@aozora.example", "firstName": "Oswin", "lastName": "Fairweather"},
}


def _partner(name: str, domain: str, country: str, region: str, language: str, **more: str) -> dict[str, str]:
    return {
        "name": name,
        "domain": domain,
        "industry": "COMPUTER_SOFTWARE",
        "country": country,
        "is_partner": "true",
        "partner_agreement": "active",
        "partner_region": region,
        "partner_language": language,
        **more,
    }


PARTNERS: Table = {
    "HOKUTO": _partner(
        *("北斗ソリューションズ", "hokuto-solutions.example", "日本", "japan", "ja"),
        partner_tier="gold",
        partner_type="reseller",
        partner_nda="signed",
    ),
    "SEOULINFO": _partner(
        *("서울인포", "seoulinfo.example", "대한민국", "korea", "ko"),
        partner_tier="silver",
        partner_type="si",
        partner_nda="none",
    ),
    "PINECREST": _partner(
        *("Pinecrest", "pinecrest.example", "Canada", "emea", "en"),
        partner_tier="platinum",
        partner_type="distributor",
        partner_nda="signed",
    ),
    "KAZAMI": _partner(
        *("風見商店", "kazami-shoten.example", "日本", "japan", "ja"),
        partner_tier="registered",
        partner_type="referral",
        partner_nda="none",
    ),
}

CUSTOMERS: Table = {
    "TATESHINA": {
        "name": "蓼科醸造",
        "domain": "tateshina-jozo.example",
        "industry": "FOOD_BEVERAGES",
        "country": "日本",
    },
    "MISAKI": {"name": "みさき造船", "domain": "misaki-zosen.example", "industry": "SHIPBUILDING", "country": "日本"},
    "NURI": {
        "name": "누리전자",
        "domain": "nuri-elec.example",
        "industry": "CONSUMER_ELECTRONICS",
        "country": "대한민국",
    },
    "LARKSPUR": {
        "name": "Larkspur Mills",
        "domain": "larkspur-mills.example",
        "industry": "TEXTILES",
        "country": "Canada",
    },
}


def _contact(company: str, last: str, first: str, email: str, title: str) -> dict[str, str]:
    return {"company": company, "lastname": last, "firstname": first, "email": email, "jobtitle": title}


CONTACTS: Table = {
    "UGUISU": _contact("TATESHINA", "鶯谷", "ほたる", "h.uguisudani@tateshina-jozo.example", "経営企画室長"),
    "HIBARI": _contact("MISAKI", "雲雀丘", "なぎさ", "n.hibarigaoka@misaki-zosen.example", "設計部長"),
    "GARAM": _contact("NURI", "가", "람솔", "ramsol.ga@nuri-elec.example", "전산팀장"),
    "MERRIWEATHER": _contact("LARKSPUR", "Merrigold", "Phineas", "p.merrigold@larkspur-mills.example", "Plant Manager"),
    "HOKUTO_SALES": _contact("HOKUTO", "北見", "るい", "r.kitami@hokuto-solutions.example", "営業課長"),
    "SEOULINFO_SALES": _contact("SEOULINFO", "윤", "슬기", "seulgi.yun@seoulinfo.example", "영업대표"),
    "PINECREST_SALES": _contact("PINECREST", "Alderton", "Wren", "w.alderton@pinecrest.example", "Partner Manager"),
    "KAZAMI_SALES": _contact("KAZAMI", "風見", "まこと", "m.kazami@kazami-shoten.example", "店主"),
}


def _deal(*head: str, secrets: tuple[str, str, str, str], message: str = "") -> dict[str, str]:
    name, company, contact, owner, stage, currency, region, amount, close = head
    margin, discount, notes, rival = secrets
    return {
        "dealname": name,
        "company": company,
        "contact": contact,
        "hubspot_owner_id": owner,
        "dealstage": stage,
        "deal_currency_code": currency,
        "region": region,
        "amount": amount,
        "closedate": f"{close}T00:00:00.000Z",
        "margin": margin,
        "discount_percent": discount,
        "internal_notes": notes,
        "competitor": rival,
        "partner_message": message,
    }


DEALS: Table = {
    "TATESHINA_ERP": _deal(
        *("蓼科醸造 販売管理刷新", "TATESHINA", "UGUISU", "KAGAMI", "presentationscheduled", "JPY", "japan"),
        *("9471836", "2027-03-26"),
        secrets=("3618492", "14.2957", "社内限定 金緑石4682 上限は九百万円。見直しは2031-10-23。", "辰砂販売競合1749"),
        message="見積の前提をご確認ください。",
    ),
    "TATESHINA_CARE": _deal(
        *(
            "蓼科醸造 保守契約",
            "TATESHINA",
            "UGUISU",
            "KAGAMI",
            "contractsent",
            "JPY",
            "japan",
            "1839427",
            "2027-01-22",
        ),
        secrets=("681943", "6.8341", "社内限定 藍晶石2570 更新は前提にしない。", "滑石保守競合8236"),
    ),
    "MISAKI_PLM": _deal(
        *(
            "みさき造船 図面管理",
            "MISAKI",
            "HIBARI",
            "KAGAMI",
            "qualifiedtobuy",
            "JPY",
            "japan",
            "24618937",
            "2027-07-16",
        ),
        secrets=("8947216", "12.6183", "社内限定 橄欖石7395 直販も検討中。", "石膏図面競合5018"),
    ),
    "NURI_PORTAL": _deal(
        *("누리전자 협력사 포털", "NURI", "GARAM", "BYEOL", "presentationscheduled", "KRW", "korea"),
        *("96183724", "2027-04-09"),
        secrets=("31749268", "16.7429", "내부전용 황옥5934 본사 승인 전.", "운모 포털 경쟁2867"),
    ),
    "LARKSPUR_IOT": _deal(
        *("Larkspur Mills loom sensors", "LARKSPUR", "MERRIWEATHER", "FAIRWEATHER", "contractsent", "USD", "emea"),
        *("214837.65", "2031-11-21"),
        secrets=("73918.42", "9.5176", "Internal only zircon-3846: the pilot failed once.", "Gypsum Looms rival-6490"),
    ),
    "LARKSPUR_LOST": _deal(
        *("Larkspur Mills payroll", "LARKSPUR", "MERRIWEATHER", "FAIRWEATHER", "closedlost", "USD", "emea"),
        *("18294.73", "2026-07-24"),
        secrets=(
            "5173.86",
            "17.3648",
            "Internal only spinel-9517: they built it themselves.",
            "Slate Payroll rival-3072",
        ),
    ),
}

PARTNERS_ON_DEALS: tuple[tuple[str, str, str], ...] = (  # deal, partner, label
    ("TATESHINA_ERP", "HOKUTO", "Partner of record"),
    ("TATESHINA_ERP", "SEOULINFO", "Referral partner"),
    ("TATESHINA_CARE", "HOKUTO", "Partner of record"),
    ("NURI_PORTAL", "SEOULINFO", "Partner of record"),
    ("LARKSPUR_IOT", "PINECREST", "Distributor"),
)
