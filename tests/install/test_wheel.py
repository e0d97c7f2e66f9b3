"""The wheel, as a stranger installs it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = {"connectors", "mapping", "sync", "webhook_app", "policies", "config"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (made,) = out.glob("*.whl")
    return made


def test_the_wheel_holds_the_rooms_with_their_pages_and_templates_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == ROOMS
    for needed in (
        "webhook_app/static/sudare.css",
        "webhook_app/templates/base.html",
        "config/templates/salesforce/sudare.yaml",
        "config/templates/demo/documents/price-list.pdf",
        "connectors/sandbox/templates/deal.html",
        "sync/store/migrations/versions/0001_first.py",
    ):
        assert needed in names


def test_a_clean_venv_with_the_wheel_is_in_good_health_wherever_it_is_asked(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    pip = [str(place / "bin" / "pip"), "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", str(ROOT / "requirements.lock")], check=True)
    subprocess.run([*pip, "--no-deps", str(wheel)], check=True)
    ask = [str(place / "bin" / "sudare"), "doctor"]
    doctor = subprocess.run(ask, cwd="/", capture_output=True, text=True, check=False)
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    assert "hubspot, salesforce" in doctor.stdout
    assert "NO" not in doctor.stdout.split()
