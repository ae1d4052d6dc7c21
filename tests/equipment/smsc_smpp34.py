"""An SMSC by smpp34's Server, as a process that takes orders: a JSON object a line on stdin.

    python tests/equipment/smsc_smpp34.py PORT

What it is to deliver it keeps until it is acknowledged, and offers it to every receiver that
binds. Clients come through a relay that can cut them off. `smsc_npm.js` takes the same orders.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from contextlib import suppress
from typing import Any

import smpp34

WINDOW = 50
RETRY_SECONDS = 0.2
REFUSED_FOR_GOOD = 0x65


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Relay:
    """Passes connections on to the server behind it, until they are cut."""

    def __init__(self, port: int, inner: int) -> None:
        self.port = port
        self._inner = inner
        self._listening: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def listen(self) -> None:
        """Take connections."""
        self._listening = await asyncio.start_server(self._connected, "127.0.0.1", self.port)

    def deaf(self) -> None:
        """Take none, and cut those there are."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        self.cut()

    def cut(self) -> None:
        """Cut all connections at once."""
        for writer in self._writers:
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._inner)
        ends = {writer, inner_writer}
        self._writers |= ends
        try:
            await asyncio.gather(_pass(reader, inner_writer), _pass(inner_reader, writer))
        except OSError:
            pass
        finally:
            self._writers -= ends
            for each in ends:
                each.transport.abort()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    raise ConnectionResetError


class Smsc:
    """The centre: what is to be delivered, what was submitted, and how it behaves."""

    def __init__(self) -> None:
        self.esmes: dict[str, tuple[Any, asyncio.Semaphore]] = {}
        self.waiting: dict[int, dict[str, Any]] = {}
        self.submitted: list[dict[str, Any]] = []
        self.settled = 0
        self.told = 0
        self.serial = 0
        self.ids = 0
        self.behaviour: dict[str, Any] = {}
        self.silent: list[Any] = []
        self.binds = 0
        self.echoes = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, coroutine: Any) -> None:
        """Run something beside the rest."""
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def serve(self, server: Any) -> None:
        """Take what clients do."""
        while True:
            event = await server.next()
            if isinstance(event, smpp34.Esme):
                self.binds += 1
                if event.can_receive:
                    self.esmes[event.session_id] = event, asyncio.Semaphore(WINDOW)
                    self.offer_all()
            elif isinstance(event, smpp34.SubmitSmEvent):
                self.submit(event)
            else:
                self.esmes.pop(event.session_id, None)
                self.offer_all()

    def submit(self, event: Any) -> None:
        """Take a message, or refuse it."""
        if self.behaviour.get("silent"):
            self.silent.append(event)
            return
        refusals = self.behaviour.get("refuse", [])
        if refusals and (status := refusals.pop(0)):
            event.reject(status)
            return
        self.ids += 1
        message_id = self.behaviour.get("message_id", str(self.ids))
        self.submitted.append(
            {
                "id": message_id,
                "to": event.destination_addr,
                "ton": event.dest_addr_ton,
                "from": event.source_addr,
                "text": event.short_message.decode("latin-1"),
                "tlvs": [[tlv.tag, tlv.value.hex()] for tlv in event.tlvs],
            }
        )
        if self.behaviour.get("early"):
            self.receipt(self.submitted[-1])
            self.settled = len(self.submitted)
            asyncio.get_running_loop().call_later(0.2, event.accept, message_id)
        else:
            event.accept(message_id)
        if self.behaviour.get("echo"):
            self.echoes += 1
            self.deliver({"source": event.destination_addr, "text": f"{self.echoes}"})

    def receipt(self, message: dict[str, Any]) -> None:
        """Deliver a receipt on a message."""
        state = self.behaviour.get("state", "DELIVRD")
        order: dict[str, Any] = {"source": message["to"], "esm_class": 4}
        receipt_id = self.behaviour.get("receipt_id", message["id"])
        if self.behaviour.get("receipts", "text") == "tlv":
            number = {"DELIVRD": 2, "EXPIRED": 3, "UNDELIV": 5}[state]
            order["tlvs"] = [[0x1E, (receipt_id.encode() + b"\0").hex()], [0x427, f"{number:02x}"]]
        else:
            dates = "submit date:YYMMDDhhmm done date:99999999999999"
            order["text"] = f"id:{receipt_id} sub:001 dlvrd:001 {dates} stat:{state} err:000 text:"
        if self.behaviour.get("user_reference"):
            order.setdefault("tlvs", []).extend(t for t in message["tlvs"] if t[0] == 0x204)
        self.deliver(order)

    def deliver(self, order: dict[str, Any]) -> None:
        """Keep a message, and offer it to the receiver that comes next."""
        self.serial += 1
        self.waiting[self.serial] = order
        self.offer_all(self.serial)

    def offer_all(self, *serials: int) -> None:
        """Offer what no session that is still there was given, by the sessions in turn."""
        sessions = list(self.esmes)
        for serial in serials or list(self.waiting):
            if sessions and self.waiting[serial].get("at") not in self.esmes:
                session = self.waiting[serial]["at"] = sessions[serial % len(sessions)]
                self.spawn(self.offer(session, serial))

    async def offer(self, session: str, serial: int) -> None:
        """Offer a message until it is acknowledged, or the session is gone."""
        while serial in self.waiting and session in self.esmes:
            esme, window = self.esmes[session]
            async with window:
                if serial not in self.waiting or session not in self.esmes:
                    return
                order = self.waiting[serial]
                content = order.get("text", "").encode("latin-1")
                try:
                    answer = await esme.deliver_sm(
                        order.get("number", "7267"),
                        bytes.fromhex(order["content"]) if "content" in order else content,
                        source_addr=order["source"],
                        source_addr_ton=order.get("ton", 1),
                        source_addr_npi=1,
                        esm_class=order.get("esm_class", 0),
                        data_coding=order.get("data_coding", 0),
                        tlvs=[
                            smpp34.Tlv(tag, bytes.fromhex(value))
                            for tag, value in order.get("tlvs", [])
                        ],
                    )
                except smpp34.SmppError:
                    return
                if answer.command_status in (0, REFUSED_FOR_GOOD):
                    self.waiting.pop(serial, None)
                    return
            await asyncio.sleep(RETRY_SECONDS)

    def settle(self) -> None:
        """Deliver receipts on what was submitted since the last time."""
        for message in self.submitted[self.settled :]:
            self.receipt(message)
        self.settled = len(self.submitted)

    def reset(self) -> None:
        """Forget everything."""
        self.waiting.clear()
        self.submitted.clear()
        self.settled = self.told = 0
        self.behaviour = {}

    def status(self) -> dict[str, Any]:
        """Tell how it is."""
        return {
            "waiting": len(self.waiting),
            "submitted": len(self.submitted),
            "receivers": len(self.esmes),
            "binds": self.binds,
        }

    def turn(self, order: dict[str, Any]) -> dict[str, Any]:
        """Deliver many, and tell what was submitted since the last turn."""
        for source, text in order.get("deliver", []):
            self.deliver({"source": source, "text": text})
        news, self.told = self.submitted[self.told :], len(self.submitted)
        return {"submitted": [[each["to"], each["text"]] for each in news]}


async def obey(smsc: Smsc, relay: Relay, order: dict[str, Any]) -> dict[str, Any]:
    """Carry out an order."""
    match order["op"]:
        case "submitted":
            return {"messages": smsc.submitted}
        case "turn":
            return smsc.turn(order)
        case "deliver":
            smsc.deliver(order)
        case "settle":
            smsc.settle()
        case "behave":
            smsc.behaviour = order["how"]
        case "cut":
            relay.cut()
        case "deaf":
            relay.deaf()
        case "listen":
            await relay.listen()
        case "reset":
            smsc.reset()
            relay.deaf()
            await relay.listen()
    return smsc.status()


async def main(port: int) -> None:
    """Serve until stdin ends."""
    inner = free_port()
    server = smpp34.Server("127.0.0.1", inner, system_id="smpp34")
    await server.start()
    smsc, relay = Smsc(), Relay(port, inner)
    await relay.listen()
    serving = asyncio.create_task(smsc.serve(server))
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader(limit=1 << 24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    _say({"event": "ready"})
    while line := await orders.readline():
        _say(await obey(smsc, relay, json.loads(line)))
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving
    await server.stop()


def _say(facts: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
