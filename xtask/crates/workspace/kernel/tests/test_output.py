"""What a notebook gives out is bounded, in the log and in memory, and its end is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from notebook_kernel import share
from notebook_kernel.redaction import Redaction
from notebook_kernel.share import Share

# What the kernel may take more at its peak than before the first cell: far less than what the cells below print.
MEMORY_LIMIT_MIB = 30
# Linux alone says how much a program has taken since it began.
measured = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured on Linux")


def kept(printed: list[str], full: bool = False) -> tuple[str, list[tuple[str, str]]]:
    """What a share keeps: the beginning, and the rest."""
    cell = Share(full)
    head = "".join(cell.take("stdout", text) for text in printed)
    return head, cell.rest()


def test_little_output_is_kept_as_it_comes() -> None:
    assert kept(["a\n", "b\n"]) == ("a\nb\n", [])


def test_of_much_output_beginning_and_end_are_kept() -> None:
    lines = [f"line {n}\n" for n in range(200_000)]
    head, rest = kept(lines)
    (stream, note), *tail = rest
    end = "".join(text for _, text in tail)
    assert "".join(lines).startswith(head)
    assert "".join(lines).endswith(end)
    assert len(end) == share.TAIL
    assert stream == "stderr"
    assert "left out here" in note


def test_of_one_long_line_both_ends_are_kept() -> None:
    head, rest = kept(["a" * 5_000_000 + "end"])
    assert len(head) == share.HEAD
    assert rest[-1][1].endswith("aend")
    assert len(rest[-1][1]) == share.TAIL


def test_a_full_log_keeps_the_end_alone() -> None:
    head, rest = kept(["a" * 10_000 + "end"], full=True)
    assert head == ""
    assert rest[-1][1].endswith("aend")


def test_redaction_hides_the_longer_value_first() -> None:
    redaction = Redaction()
    for value in ("abc", "", "abcdef"):
        redaction.add(value)
    assert redaction.of_text("abcdef abc a") == "[REDACTED] [REDACTED] a"


MEASURE = """
def memory(field):
    with open("/proc/self/status") as file:
        return int(next(line.split()[1] for line in file if line.startswith(field))) // 1024
before = memory("VmRSS")
# COMMAND ----------
"""
GROWN = """
# COMMAND ----------
print("grown", memory("VmHWM") - before, "MiB")
"""
PRINT_MUCH = """
for _ in range(150_000):
    print("x" * (990 + _ % 9))
print("the end")
# COMMAND ----------
# MAGIC %sh
# MAGIC head -c 150000000 /dev/zero | tr '\\0' 'y'; echo the shell ends
# COMMAND ----------
!head -c 150000000 /dev/zero | tr '\\0' 'z'; echo the command ends
"""


def grown(outcome) -> int:
    """How many MiB the process took at its peak beyond what it had at first."""
    return int(outcome.printed.split("grown ")[1].split()[0])


@measured
def test_much_output_takes_little_memory_and_keeps_its_end(run) -> None:
    outcome = run(MEASURE + PRINT_MUCH + GROWN)
    assert outcome.code == 0
    for end in ("the end\n", "the shell ends\n", "the command ends\n"):
        assert end in outcome.printed
    assert outcome.printed.count("left out here") == 3
    assert (outcome.folder / "events.jsonl").stat().st_size < 8 * share.MEBIBYTE
    assert grown(outcome) < MEMORY_LIMIT_MIB


@measured
def test_one_line_that_never_ends_is_no_burden_either(run) -> None:
    outcome = run(MEASURE + "for _ in range(150_000):\n    print('x' * 1000, end='')\nprint('end')\n" + GROWN)
    assert "xend\n" in outcome.printed
    assert grown(outcome) < MEMORY_LIMIT_MIB


def test_what_children_write_past_python_fills_no_disk(run) -> None:
    outcome = run(
        "import subprocess, time\n"
        "subprocess.run('head -c 60000000 /dev/zero | tr \"\\\\0\" x; echo last words', shell=True)\n"
        "time.sleep(3)\n"
    )
    log = outcome.folder / "process.log"
    assert log.stat().st_size < 20 * share.MEBIBYTE
    assert log.read_bytes().endswith(b"last words\n")


def test_displays_end_when_the_log_is_full(run) -> None:
    outcome = run(
        "from IPython.display import HTML, display\n"
        "for _ in range(30):\n    display(HTML('x' * 2_000_000))\n"
        "# COMMAND ----------\nprint('after')\n"
    )
    assert (outcome.folder / "events.jsonl").stat().st_size < 40 * share.MEBIBYTE
    assert outcome.all("display")[-1]["data"] == {"text/plain": "[displays left out: the log is full]"}
    assert outcome.printed == "after\n"
