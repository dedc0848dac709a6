import os
import resource
import subprocess
import sys
import time

from fsnats.metrics import proc


def test_of_this_process_all_is_known() -> None:
    now = proc.numbers()
    assert now is not None
    assert 5e6 < now.rss < 5e9
    assert now.cpu_seconds > 0
    assert now.threads >= 1
    assert now.open_files_most == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert now.started < time.time()
    assert proc.numbers(os.getpid()) is not None


def test_open_files_are_counted() -> None:
    before = proc.numbers()
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(5)]
    after = proc.numbers()
    for each in held:
        os.close(each)
    assert before is not None
    assert after is not None
    assert after.open_files is not None
    assert before.open_files is not None
    assert after.open_files - before.open_files == 5


def test_of_a_process_that_is_gone_nothing_is_known() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert proc.numbers(ended.pid) is None
