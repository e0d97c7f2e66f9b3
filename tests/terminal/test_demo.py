"""The demo plays its own story, start to end, as `make demo CHECK=1` does."""

from __future__ import annotations

import subprocess
import sys

from sync.vitals import held


def test_the_demo_tells_its_whole_story_by_itself(tmp_path):
    command = [sys.executable, "-P", "-m", "webhook_app", "demo", "--check", "--folder", str(tmp_path / "demo")]
    told = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, cwd=tmp_path)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "The story went well" in told.stdout
    refused = subprocess.run([*command[:-1], str(tmp_path)], capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 1
    assert "is in use by something else" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_second_demo_in_the_folder_of_one_that_runs_says_so_and_leaves_it_alone(tmp_path):
    with held(tmp_path / ".sudare-demo") as alone:
        assert alone
        (tmp_path / "workspace").mkdir()
        command = [sys.executable, "-P", "-m", "webhook_app", "demo", "--folder", str(tmp_path)]
        refused = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 1
    assert "a demo runs in" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert (tmp_path / "workspace").exists()
