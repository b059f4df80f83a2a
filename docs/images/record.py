r"""Runs a command at a terminal of its own and draws what it shows as an SVG: the pictures in this folder.

    uv run --no-project --with rich --with pyte docs/images/record.py docs/images/test.svg cargo xtask test

What is drawn is the screen as a person sees it at the end, with everything that scrolled by above it. With
`--type 'TEXT=KEYS'` (any number of times, before the command) KEYS are typed once TEXT is seen; `\\r` is Enter:

    ... docs/images/record.py docs/images/open-pr.svg --type 'now?=n' --type 'Title=\\r' cargo xtask open-pr --no-wait
"""

import fcntl
import io
import os
import pty
import re
import struct
import sys
import termios
import time

import pyte
from rich.console import Console
from rich.text import Text

WIDTH = 116
# Colours that programs ask for by name, as rich knows them.
COLOURS = {"brown": "yellow", "default": None}


def screen_of(command: list[str], answers: list[tuple[str, str]]) -> pyte.HistoryScreen:
    """The screen after the command, with its history; what it asks is answered."""
    screen = pyte.HistoryScreen(WIDTH, 60, history=1000)
    stream = pyte.ByteStream(screen)
    environment = {"TERM": "xterm-256color", "COLUMNS": str(WIDTH)}

    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(environment)
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 60, WIDTH, 0, 0))
    seen = ""
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:
            break
        if not data:
            break
        # pyte does not know links (OSC 8): their text stays, their target goes.
        data = re.sub(rb"\x1b\]8;;[^\x1b]*\x1b\\", b"", data)
        stream.feed(data)
        seen += data.decode(errors="replace")
        if answers and answers[0][0] in seen:
            # What is typed before a prompt listens is lost.
            time.sleep(0.5)
            os.write(terminal, answers.pop(0)[1].encode())
            seen = ""
    os.waitpid(pid, 0)
    return screen


def line(cells: dict) -> Text:
    """One line of the screen with its colours."""
    text = Text()
    for column in range(WIDTH):
        cell = cells[column]
        colour = COLOURS.get(cell.fg, cell.fg)
        style = " ".join(filter(None, ["bold" if cell.bold else "", colour]))
        text.append(cell.data, style=style)
    text.rstrip()
    return text


def main() -> None:
    """Records what the command line asks for."""
    output, *command = sys.argv[1:]
    answers = []
    while command[0] == "--type":
        text, _, keys = command[1].partition("=")
        answers.append((text, keys.replace("\\r", "\r")))
        command = command[2:]
    screen = screen_of(command, answers)
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    console.print(Text("$ ", style="bold") + Text(" ".join(command)))
    lines = [line(cells) for cells in [*screen.history.top, *(screen.buffer[y] for y in range(60))]]
    while lines and not lines[-1].plain:
        lines.pop()
    for text in lines:
        console.print(text, soft_wrap=False, crop=True)
    console.save_svg(output, title="mlops_stacks")


main()
