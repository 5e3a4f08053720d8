"""Frames on a socket: a tag and a length before each message."""

import socket
import struct
import threading

from .codec import LARGEST, Refused, check_size

MESSAGE, PLACE = b"M", b"A"


class Gone(Exception):
    """The other side is not there any more."""


class Wire:
    """A connected socket that carries whole messages; several threads may send."""

    def __init__(self, connection: socket.socket):
        self._socket, self._lock = connection, threading.Lock()

    def send(self, data: bytes, tag: bytes = MESSAGE) -> None:
        """Send one message."""
        check_size(len(data))
        try:
            with self._lock:
                self._socket.sendall(tag + struct.pack("<I", len(data)) + data)
        except OSError:
            raise Gone from None

    def receive(self) -> tuple[bytes, bytes]:
        """The next message and its tag; waits for it."""
        head = self._exactly(5)
        (length,) = struct.unpack("<I", head[1:])
        if length > LARGEST or head[:1] not in (MESSAGE, PLACE):
            raise Refused("what came is no message")
        return head[:1], self._exactly(length)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _exactly(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            try:
                part = self._socket.recv(min(size - len(parts), 1 << 20))
            except OSError:
                part = b""
            if not part:
                raise Gone
            parts += part
        return bytes(parts)
