"""A small hardware test, of the only hardware every machine has: the loopback interface.

Run it behind the gate: ``bespeak gate -l bench -- python3 -m unittest -v test_loopback``.
"""

import socket
import threading
import unittest


class Loopback(unittest.TestCase):
    def test_every_byte_comes_back(self) -> None:
        sent = bytes(range(256)) * 16
        server = socket.create_server(("127.0.0.1", 0))
        echo = threading.Thread(target=self._echo, args=(server,))
        echo.start()
        with socket.create_connection(server.getsockname()) as client:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            received = b"".join(iter(lambda: client.recv(4096), b""))
        echo.join()
        server.close()
        self.assertEqual(received, sent)

    @staticmethod
    def _echo(server: socket.socket) -> None:
        peer, _ = server.accept()
        with peer:
            while data := peer.recv(4096):
                peer.sendall(data)
