"""The story in the Salesforce org: invented companies and people. The order makes the ids."""

from __future__ import annotations

from typing import Any

Table = dict[str, dict[str, Any]]  # the story's own key -> fields

USERS: Table = {
    "INTEGRATION": {"Name": "Sudare Integration", "Email": "integration@aozora.example"},
    "MIZUHARA": {"Name": "水原 あおい", "Email": "a.mizuhara@aozora.example"},
    "SEO": {"Name": "서 하늘", "Email": "h.seo@aozora.example"},
    "WINSLOW": {"Name": "Marnie Winslow", "Email": "m.winslow@aozora.example"},
    "LEAVER": {"Name": "遠野 さとる", "Email": "s.tono@aozora.example", "IsActive": False},
}

_JA = {"Partner_Region__c": "Japan", "Partner_Language__c": "ja"}
_ACTIVE = {"IsPartner": True, "OwnerId": "MIZUHARA", "Partner_Agreement__c": "Active"}
PARTNERS: Table = {
    "MINATO": {
        "Name": "みなと情報システム",
        "Industry": "Technology",
        "BillingCountry": "日本",
        **_ACTIVE,
        **_JA,
        "Partner_Tier__c": "Gold",
        "Partner_Type__c": "Reseller",
        "Partner_NDA__c": "Signed",
    },
    "HANBIT": {
        "Name": "한빛테크",
        "Industry": "Technology",
        "BillingCountry": "대한민국",
        **_ACTIVE,
        "OwnerId": "SEO",
        "Partner_Tier__c": "Silver",
        "Partner_Type__c": "SI",
        "Partner_NDA__c": "None",
        "Partner_Region__c": "Korea",
        "Partner_Language__c": "ko",
    },
    "HARBOR": {
        "Name": "Harbor & Vale",
        "Industry": "Technology",
        "BillingCountry": "Ireland",
        **_ACTIVE,
        "OwnerId": "WINSLOW",
        "Partner_Tier__c": "Platinum",
        "Partner_Type__c": "Distributor",
        "Partner_NDA__c": "Signed",
        "Partner_Region__c": "EMEA",
        "Partner_Language__c": "en",
    },
    "TSUBASA": {
        "Name": "つばさ商会",
        "Industry": "Technology",
        "BillingCountry": "日本",
        **_ACTIVE,
        **_JA,
        "Partner_Tier__c": "Registered",
        "Partner_Type__c": "Referral",
        "Partner_NDA__c": "None",
    },
    "SHIOMI": {
        "Name": "潮見システムズ",
        "Industry": "Technology",
        "BillingCountry": "日本",
        **_ACTIVE,
        **_JA,
        "Partner_Tier__c": "Gold",
        "Partner_Type__c": "SI",
        "Partner_NDA__c": "Signed",
        "Partner_Agreement__c": "Expired",
    },
}


def _customer(name: str, industry: str, country: str, owner: str, revenue: float) -> dict[str, Any]:
    return {"Name": name, "Industry": industry, "BillingCountry": country, "OwnerId": owner, "AnnualRevenue": revenue}


CUSTOMERS: Table = {
    "YOKOHAMA": _customer("横浜精機", "Manufacturing", "日本", "MIZUHARA", 8_413_902_771.0),
    "SHINANO": _customer("信濃電工", "Manufacturing", "日本", "MIZUHARA", 5_209_718_463.0),
    "ASANAGI": _customer("朝凪百貨店", "Retail", "日本", "MIZUHARA", 31_870_266_194.0),
    "HAEUNDAE": _customer("해운대물류", "Logistics", "대한민국", "SEO", 74_912_038_855.0),
    "HANGANG": _customer("한강제약", "Healthcare", "대한민국", "SEO", 128_340_917_206.0),
    "NORTHGATE": _customer("Northgate Foods", "Retail", "United Kingdom", "WINSLOW", 91_473_820.0),
    "KESTREL": _customer("Kestrel Clinics", "Healthcare", "Ireland", "WINSLOW", 47_918_263.0),
    "TIDEWELL": _customer("Tidewell Energy", "Energy", "Netherlands", "WINSLOW", 263_917_504.0),
}


def _contact(account: str, last: str, first: str, email: str, title: str, phone: str = "") -> dict[str, Any]:
    names = {"LastName": last, "FirstName": first, "Email": email, "Title": title, "Phone": phone or None}
    return {"AccountId": account, **names}


CONTACTS: Table = {
    "SAGINUMA": _contact(
        "YOKOHAMA", "鷺沼", "りんどう", "r.saginuma@yokohama-seiki.example", "情報システム部長", "+81-45-555-0173"
    ),
    "KURUSHIMA": _contact(
        "YOKOHAMA", "来島", "つむぎ", "t.kurushima@yokohama-seiki.example", "購買課長", "+81-45-555-0186"
    ),
    "ASAGIRI": _contact("SHINANO", "朝霧", "かえで", "k.asagiri@shinano-denko.example", "生産技術部長"),
    "UTSUGI": _contact("ASANAGI", "宇津木", "しのぶ", "s.utsugi@asanagi-dept.example", "デジタル推進室長"),
    "MARU": _contact("HAEUNDAE", "마", "루한", "ruhan.ma@haeundae-logis.example", "물류본부장", "+82-51-555-0142"),
    "YEOUL": _contact("HANGANG", "여", "울림", "ullim.yeo@hangang-pharm.example", "연구기획팀장"),
    "QUILLFEATHER": _contact(
        "NORTHGATE", "Quillfeather", "Isolde", "i.quillfeather@northgate-foods.example", "Head of Supply"
    ),
    "THISTLEWOOD": _contact(
        "KESTREL", "Thistlewood", "Barnaby", "b.thistlewood@kestrel-clinics.example", "Operations Director"
    ),
    "VANDERZEE": _contact("TIDEWELL", "van der Zeewind", "Femke", "f.zeewind@tidewell-energy.example", "CIO"),
    "MINATO_SALES": _contact("MINATO", "橘", "ひなた", "h.tachibana@minato-joho.example", "パートナー営業"),
    "MINATO_SE": _contact("MINATO", "葉山", "そら", "s.hayama@minato-joho.example", "技術課長"),
    "HANBIT_SALES": _contact("HANBIT", "온", "새벽", "saebyeok.on@hanbit-tech.example", "영업팀장"),
    "HARBOR_SALES": _contact("HARBOR", "Ashgrove", "Tamsin", "t.ashgrove@harbor-vale.example", "Channel Lead"),
    "TSUBASA_SALES": _contact("TSUBASA", "羽鳥", "ゆづき", "y.hatori@tsubasa-shokai.example", "代表"),
    "SHIOMI_SALES": _contact("SHIOMI", "潮田", "なぎ", "n.shiota@shiomi-systems.example", "営業部長"),
}


def _deal(
    *head: str,
    amount: float,
    close: str,
    margin: float,
    discount: float,
    notes: str,
    rival: str,
    about: str,
    **more: Any,
) -> dict[str, Any]:
    name, account, owner, stage, currency, region = head
    return {
        "Name": name,
        "AccountId": account,
        "OwnerId": owner,
        "StageName": stage,
        "CurrencyIsoCode": currency,
        "Region__c": region,
        "Amount": amount,
        "CloseDate": close,
        "Margin__c": margin,
        "Discount__c": discount,
        "Internal_Notes__c": notes,
        "Competitor__c": rival,
        "Description": about,
        **more,
    }


DEALS: Table = {
    "YOKOHAMA_CORE": _deal(
        "横浜精機 基幹システム刷新", "YOKOHAMA", "MIZUHARA", "Proposal/Price Quote", "JPY", "Japan",
        amount=12_347_619.0, close="2027-03-19", margin=4_917_283.0, discount=13.4719,
        notes="社内限定 蛍石7731 最低粗利は三割、値引きは本部長決裁。契約見直しは2031-07-19。",
        rival="黒曜石ソフト競合4410", about="背景メモ 琥珀9052: 先方の予算は期末に集中する。",
        NextStep="3月第1週に最終提案", Partner_Message__c="提案書の第2章をご確認ください。",
    ),
    "YOKOHAMA_CARE": _deal(
        "横浜精機 保守契約更新", "YOKOHAMA", "MIZUHARA", "Negotiation/Review", "JPY", "Japan",
        amount=3_418_907.0, close="2027-01-29", margin=1_290_417.0, discount=7.2853,
        notes="社内限定 瑠璃2946 更新しない可能性は三割と見る。", rival="白雲母サービス競合8137",
        about="背景メモ 翡翠3360: 障害対応の遅れが話題に出た。", NextStep="条件表を送付",
    ),
    "SHINANO_MES": _deal(
        "信濃電工 生産管理クラウド", "SHINANO", "MIZUHARA", "Qualification", "JPY", "Japan",
        amount=28_473_961.0, close="2027-06-25", margin=9_731_846.0, discount=11.9367,
        notes="社内限定 柘榴石5518 役員会は二度延期された。", rival="花崗岩製造競合2693",
        about="背景メモ 珊瑚6174: 工場は三拠点、先行は松本。", NextStep="現地調査の日程調整",
    ),
    "ASANAGI_MEMBERS": _deal(
        "朝凪百貨店 会員基盤", "ASANAGI", "MIZUHARA", "Prospecting", "JPY", "Japan",
        amount=57_219_384.0, close="2027-09-17", margin=18_462_739.0, discount=4.6182,
        notes="社内限定 孔雀石8829 直販で進める。", rival="月長石会員競合7025",
        about="背景メモ 真珠1487: パートナーには出さない案件。",
    ),
    "ASANAGI_POS": _deal(
        "朝凪百貨店 POS更新", "ASANAGI", "MIZUHARA", "Qualification", "JPY", "Japan",
        amount=7_981_342.0, close="2027-04-23", margin=2_673_915.0, discount=9.3741,
        notes="社内限定 紫水晶4073 旧契約の清算が先。", rival="玄武岩端末競合3951",
        about="背景メモ 碧玉5290: 端末は六百台。",
    ),
    "HAEUNDAE_WMS": _deal(
        "해운대물류 창고관리 구축", "HAEUNDAE", "SEO", "Proposal/Price Quote", "KRW", "Korea",
        amount=83_417_290.0, close="2027-02-26", margin=26_918_374.0, discount=15.8264,
        notes="내부전용 흑요석6642 최저 마진은 삼 할.", rival="백운모 물류 경쟁9318",
        about="배경메모 호박2075: 부산 신항 두 곳.",
        NextStep="견적 검토 회의",
    ),
    "HANGANG_DATA": _deal(
        "한강제약 데이터 플랫폼", "HANGANG", "SEO", "Prospecting", "KRW", "Korea",
        amount=214_739_860.0, close="2027-08-13", margin=71_382_945.0, discount=6.1947,
        notes="내부전용 청금석3187 경쟁 입찰로 바뀔 수 있음.", rival="석영 데이터 경쟁5604",
        about="배경메모 진주8461: 규제 심사 중.",
    ),
    "NORTHGATE_PLAN": _deal(
        "Northgate Foods demand planning", "NORTHGATE", "WINSLOW", "Negotiation/Review", "USD", "EMEA",
        amount=148_273.41, close="2027-02-12", margin=52_917.83, discount=12.7538,
        notes="Internal only feldspar-7194: walk away below 31 percent.", rival="Obsidian Forecasts rival-2286",
        about="Background beryl-4409: their board meets in the second week.", NextStep="Send revised terms",
        Partner_Message__c="Please join the call on Tuesday.",
    ),
    "KESTREL_PORTAL": _deal(
        "Kestrel Clinics patient portal", "KESTREL", "WINSLOW", "Proposal/Price Quote", "USD", "EMEA",
        amount=87_419.26, close="2027-05-21", margin=31_742.98, discount=8.4193,
        notes="Internal only jasper-6035: legal review is late.", rival="Basalt Health rival-9172",
        about="Background topaz-3518: two clinics go first.", PartnerAccountId="HARBOR",
    ),
    "SHINANO_WON": _deal(
        "信濃電工 文書管理 導入", "SHINANO", "MIZUHARA", "Closed Won", "JPY", "Japan",
        amount=4_739_182.0, close="2026-09-18", margin=1_862_739.0, discount=5.2917,
        notes="社内限定 黄玉9264 次年度の値上げは未通知。", rival="雲母文書競合6380",
        about="背景メモ 水晶7713: 追加百席の余地。",
    ),
    "NORTHGATE_LOST": _deal(
        "Northgate Foods store tablets", "NORTHGATE", "WINSLOW", "Closed Lost", "USD", "EMEA",
        amount=23_918.47, close="2026-08-14", margin=7_281.94, discount=18.3726,
        notes="Internal only onyx-5827: lost on price.", rival="Granite Tablets rival-4163",
        about="Background garnet-1096: try again in a year.",
    ),
    "TIDEWELL_FRAME": _deal(
        "Tidewell Energy framework agreement", "TIDEWELL", "WINSLOW", "Qualification", "USD", "APAC",
        amount=739_284.16, close="2031-07-19", margin=241_837.59, discount=10.6842,
        notes="Internal only agate-8350: the renewal clause is ours.", rival="Quartz Grid rival-7748",
        about="Background pearl-6921: five years, three countries.",
    ),
}  # fmt: skip

PARTNERS_ON_DEALS: tuple[tuple[str, str, str], ...] = (  # deal, partner, role
    ("YOKOHAMA_CORE", "MINATO", "Reseller"),
    ("YOKOHAMA_CORE", "HANBIT", "Implementation"),
    ("YOKOHAMA_CARE", "MINATO", "Reseller"),
    ("SHINANO_MES", "MINATO", "Reseller"),
    ("SHINANO_WON", "MINATO", "Referral"),
    ("ASANAGI_POS", "SHIOMI", "Implementation"),
    ("HAEUNDAE_WMS", "HANBIT", "Implementation"),
    ("NORTHGATE_PLAN", "HARBOR", "Distributor"),
    ("TIDEWELL_FRAME", "HARBOR", "Distributor"),
    ("TIDEWELL_FRAME", "HANBIT", "Implementation"),
)
