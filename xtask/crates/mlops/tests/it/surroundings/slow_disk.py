"""Runs a command on a slow disk: `slow_disk.py MILLISECONDS COMMAND ARG...`.

Linux asks this program before each of the calls below that the command, or anything it starts, makes
(seccomp's user notification): they wait for each other and for the given time, as at a disk that does one
thing at a time. It needs no rights, no compiler, and holds for programs without the C library.
"""

import ctypes
import fcntl
import os
import select
import socket
import struct
import sys
import time

CALLS = {
    # fsync, fdatasync, mkdir, rmdir, rename, link, unlink, symlink; then those with a folder, in the same order
    "x86_64": (0xC000003E, 317, (74, 75, 83, 84, 82, 86, 87, 88, 258, 264, 265, 263, 266, 316)),
    "aarch64": (0xC00000B7, 277, (82, 83, 34, 38, 37, 35, 36, 276)),
}
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_SET_MODE_FILTER, NEW_LISTENER = 1, 8
RECEIVE, SEND = 0xC0502100, 0xC0182101
ALLOW, ASK = 0x7FFF0000, 0x7FC00000
GOES_ON = 1


def instructions(architecture: int, calls: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    """A filter: calls of the list are asked about, all others go on."""
    load, equal, answer = 0x20, 0x15, 0x06
    listed = [(equal, len(calls) - place, 0, call) for place, call in enumerate(calls)]
    return [
        (load, 0, 0, 4),
        (equal, 1, 0, architecture),
        (answer, 0, 0, ALLOW),
        (load, 0, 0, 0),
        *listed,
        (answer, 0, 0, ALLOW),
        (answer, 0, 0, ASK),
    ]


def install() -> int:
    """Puts the filter before this process and all that it starts; answers where the questions come in."""
    architecture, seccomp, calls = CALLS[os.uname().machine]
    code = instructions(architecture, calls)
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in code))
    described = ctypes.create_string_buffer(struct.pack("HP", len(code), ctypes.addressof(program)))
    system = ctypes.CDLL(None, use_errno=True)
    questions = -1
    if system.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
        questions = system.syscall(seccomp, SECCOMP_SET_MODE_FILTER, NEW_LISTENER, described)
    if questions < 0:
        raise OSError(ctypes.get_errno(), "the kernel lets no program be asked")
    return questions


def answer(questions: int, seconds: float) -> None:
    """Answers requests one by one, until there are no clients left."""
    poll = select.poll()
    poll.register(questions, select.POLLIN)
    while True:
        if not poll.poll()[0][1] & select.POLLIN:
            return
        question = bytearray(80)
        try:
            fcntl.ioctl(questions, RECEIVE, question)
            time.sleep(seconds)
            number = struct.unpack_from("Q", question)[0]
            fcntl.ioctl(questions, SEND, bytearray(struct.pack("QqiI", number, 0, 0, GOES_ON)))
        except OSError:
            pass  # who asked has ended


def main() -> None:
    """Becomes the command; a child that outlives it answers."""
    ours, childs = socket.socketpair()
    if os.fork() == 0:
        os.setsid()
        ours.close()
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nothing, stream)
        _, received, _, _ = socket.recv_fds(childs, 1, 1)
        answer(received[0], float(sys.argv[1]) / 1000)
        os._exit(0)
    childs.close()
    questions = install()
    socket.send_fds(ours, [b"."], [questions])
    os.close(questions)
    ours.close()
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
