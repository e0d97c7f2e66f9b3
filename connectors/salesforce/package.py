"""The metadata package of a Salesforce org: the key field of tasks, and a permission set with exactly what is read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

PERMISSION_SET = "Sudare_Integration"
NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
KEY_LENGTH, TEXT_LENGTH = 64, 32_768
# Whoever sees an object sees its records in full only with View All; these have permissions of their own.
WITHOUT_OBJECT_PERMISSION = frozenset({"OpportunityPartner", "Task", "User", "OpportunityTeamMember"})
# Reading the one needs reading the other.
DEPENDS_ON: Mapping[str, str] = {"Opportunity": "Account", "Contact": "Account"}


@dataclass(frozen=True, slots=True)
class Contents:
    """What the package holds."""

    version: str  # of the API
    key_field: str  # of tasks; on Activity
    texts: Mapping[str, tuple[str, ...]]  # object -> custom text fields to make
    objects: Mapping[str, bool]  # object -> whether Sudare writes a field of its records
    readable: tuple[str, ...]  # Object.Field
    editable: tuple[str, ...]  # Object.Field


def files(contents: Contents) -> dict[str, bytes]:
    """Path in the package -> XML."""
    objects = {"Activity": [_key(contents.key_field)]}
    for object, names in contents.texts.items():
        objects.setdefault(object, []).extend(_long_text(name) for name in names)
    made = {f"objects/{object}.object": _document("CustomObject", "".join(rows)) for object, rows in objects.items()}
    fields = [f"Activity.{contents.key_field}"]
    fields += [f"{object}.{name}" for object, names in contents.texts.items() for name in names]
    return {
        "package.xml": _document("Package", _manifest(fields, contents.version)),
        **made,
        f"permissionsets/{PERMISSION_SET}.permissionset": _document("PermissionSet", "".join(_permissions(contents))),
    }


def zipped(package: Mapping[str, bytes]) -> bytes:
    """The package as the Metadata API takes it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in package.items():
            archive.writestr(path, content)
    return buffer.getvalue()


def _document(root: str, body: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NAMESPACE}">\n{body}</{root}>\n'.encode()


def _tags(indent: str, **values: object) -> str:
    return "".join(f"{indent}<{name}>{_text(value)}</{name}>\n" for name, value in values.items())


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else escape(str(value))


def _key(name: str) -> str:
    label = name.removesuffix("__c").replace("_", " ")
    told = "Names what a partner did, so that Sudare logs it once. Not for people."
    # Tasks and events share their custom fields: they stand on Activity.
    values = _tags(
        " " * 8,
        fullName=name,
        caseSensitive=False,
        description=told,
        externalId=True,
        label=label,
        length=KEY_LENGTH,
        required=False,
        type="Text",
        unique=True,
    )
    return f"    <fields>\n{values}    </fields>\n"


def _long_text(name: str) -> str:
    label = name.removesuffix("__c").replace("_", " ")
    told = "Written by Sudare: which partners see this record, and how much of it."
    values = _tags(
        " " * 8,
        fullName=name,
        description=told,
        label=label,
        length=TEXT_LENGTH,
        type="LongTextArea",
        visibleLines=5,
    )
    return f"    <fields>\n{values}    </fields>\n"


def _manifest(fields: Iterable[str], version: str) -> str:
    members = "".join(f"        <members>{escape(each)}</members>\n" for each in fields)
    permission = f"        <members>{PERMISSION_SET}</members>\n"
    return (
        f"    <types>\n{members}        <name>CustomField</name>\n    </types>\n"
        f"    <types>\n{permission}        <name>PermissionSet</name>\n    </types>\n"
        f"    <version>{escape(version)}</version>\n"
    )


def _permissions(contents: Contents) -> Iterator[str]:
    yield _tags("    ", description="What Sudare reads and writes in this org, and nothing else.")
    writes = set(contents.editable)
    for field in sorted({*contents.readable, *writes}):
        values = _tags(" " * 8, editable=field in writes, field=field, readable=True)
        yield f"    <fieldPermissions>\n{values}    </fieldPermissions>\n"
    yield _tags("    ", hasActivationRequired=False, label="Sudare Integration")
    for object, written in sorted(_with_parents(contents.objects).items()):
        values = _tags(
            " " * 8,
            allowCreate=False,
            allowDelete=False,
            allowEdit=written,
            allowRead=True,
            modifyAllRecords=False,
            object=object,
            viewAllRecords=True,
        )
        yield f"    <objectPermissions>\n{values}    </objectPermissions>\n"
    for name in ("ApiEnabled", "EditTask"):
        yield f"    <userPermissions>\n{_tags(' ' * 8, enabled=True, name=name)}    </userPermissions>\n"


def _with_parents(objects: Mapping[str, bool]) -> dict[str, bool]:
    kept = {object: written for object, written in objects.items() if object not in WITHOUT_OBJECT_PERMISSION}
    return {DEPENDS_ON[object]: False for object in kept if object in DEPENDS_ON} | kept
