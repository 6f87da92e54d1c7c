import subprocess
import sys
from pathlib import Path


def test_a_crash_before_any_line_leaves_nothing_wrong() -> None:
    program = [sys.executable, "-m", "tests.unit.adapters.files.crashes"]
    root = Path(__file__).parents[4]
    done = subprocess.run(program, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 300, "every line of every story was crashed at"
