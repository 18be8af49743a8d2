"""slixmpp, driven by a test: a command in JSON on each line of standard input, an event on each line of standard output.

A command names the client it is for; what comes of it is an event of that client. The module beside this one does the
same with @xmpp/client, so that one scenario runs with both.
"""

import asyncio
import json
import logging
import sys
from xml.etree import ElementTree

import slixmpp
from slixmpp.exceptions import IqError, PresenceError

PLUGINS = ["xep_0030", "xep_0045", "xep_0184", "xep_0191", "xep_0198", "xep_0199", "xep_0203", "xep_0280", "xep_0313", "xep_0333", "xep_0359"]
MARKERS = ("received", "displayed", "acknowledged")


def tell(client, event, **fields):
    print(json.dumps({"client": client, "event": event, **fields}, ensure_ascii=False), flush=True)


def children(message, name):
    return [child for child in message.xml if child.tag.endswith("}" + name)]


def stamp(message):
    delays = children(message, "delay")
    return delays[0].get("stamp") if delays else None


def described(message):
    """What tests ask of a message."""
    marker = [(child.tag.partition("}")[2], child.get("id")) for child in message.xml if child.tag.startswith("{urn:xmpp:chat-markers:0}")]
    receipts = [child.get("id") for child in children(message, "received") if "urn:xmpp:receipts" in child.tag]
    return {
        "from": str(message["from"]),
        "to": str(message["to"]),
        "type": message["type"],
        "id": message["id"],
        "body": message["body"] or None,
        "stanza_id": next((child.get("id") for child in children(message, "stanza-id")), None),
        "delay": stamp(message),
        "receipt": receipts[0] if receipts else None,
        "marker": next((list(one) for one in marker if one[0] in MARKERS), None),
        "error": message["error"]["condition"] if message["type"] == "error" else None,
        "xml": str(message),
    }


class Client(slixmpp.ClientXMPP):
    """One stream."""

    def __init__(self, name, wanted):
        self.name = name
        super().__init__(
            f"{wanted['user']}@{wanted['domain']}/{wanted['resource']}",
            wanted["password"],
            plugin_config={"feature_mechanisms": {"unencrypted_plain": True, "unencrypted_scram": True, "use_mechs": {wanted["mechanism"]}}},
        )
        self.at = (wanted["host"], wanted["port"])
        self.enable_direct_tls = False
        # Either: a server that offers TLS is then talked to in plain text.
        self.enable_starttls = wanted["tls"]
        self.enable_plaintext = not wanted["tls"]
        if wanted["tls"]:
            self.ca_certs = wanted["certificate"]
        self.use_aiodns = False
        self.stopping = False
        for plugin in PLUGINS:
            if plugin != "xep_0198" or wanted["resume"]:
                self.register_plugin(plugin)
        self.plugin["xep_0184"].auto_request = self.plugin["xep_0184"].auto_ack = False
        self.listen()

    def listen(self):
        """Tells what happens."""
        on = self.add_event_handler
        on("session_start", lambda _: tell(self.name, "online", jid=str(self.boundjid), tls="starttls" in self.features))
        on("session_resumed", lambda _: tell(self.name, "resumed", jid=str(self.boundjid)))
        on("failed_auth", self.refused)
        on("stream_error", lambda error: tell(self.name, "stream_error", condition=error["condition"]))
        on("stanza_acked", lambda stanza: tell(self.name, "acked", id=stanza["id"]))
        on("carbon_received", lambda carbon: self.carbon("received", carbon["carbon_received"]))
        on("carbon_sent", lambda carbon: self.carbon("sent", carbon["carbon_sent"]))
        on("disconnected", self.gone)
        self.register_handler(
            slixmpp.xmlstream.handler.Callback("driver", slixmpp.xmlstream.matcher.StanzaPath("message"), self.message)
        )

    def refused(self, failure):
        # It would try again and again.
        self.stopping = True
        tell(self.name, "refused", condition=failure["condition"])

    def gone(self, _reason):
        tell(self.name, "offline")
        # As applications do that want their stream back; none is wanted after `stop`.
        if not self.stopping:
            self.loop.call_later(0.2, self.connect, *self.at)

    def message(self, message):
        wrapped = message.xml.find("{urn:xmpp:carbons:2}sent") is not None or message.xml.find("{urn:xmpp:carbons:2}received") is not None
        if not wrapped and message.xml.find("{urn:xmpp:mam:2}result") is None:
            tell(self.name, "subject" if message.xml.find("{jabber:client}subject") is not None and not message["body"] else "message", **described(message))

    def carbon(self, direction, message):
        tell(self.name, "carbon", direction=direction, **described(message))

    async def do(self, command):
        """Carries out a command."""
        await getattr(self, "do_" + command["do"])(command)

    async def do_presence(self, command):
        self.send_presence(pto=command.get("to"), ptype=command.get("type"))

    async def do_join(self, command):
        own, subject, occupants, _ = await self.plugin["xep_0045"].join_muc_wait(
            slixmpp.JID(command["room"]), command["nick"], maxstanzas=command.get("history"), timeout=30
        )
        tell(
            self.name,
            "joined",
            nick=own["from"].resource,
            statuses=sorted(own["muc"]["status_codes"]),
            occupants=sorted(one["from"].resource for one in occupants if one["from"] != own["from"]),
            subject=subject["subject"] or "",
        )

    async def do_say(self, command):
        message = self.make_message(mto=command["to"], mbody=command["body"], mtype=command.get("type", "chat"))
        message["id"] = command["id"]
        if command.get("receipt"):
            message["request_receipt"] = True
        if command.get("markable"):
            message.enable("markable")
        message.send()
        # The plugin asks before it sends what it asks for.
        if "xep_0198" in self.plugin:
            self.loop.call_later(0.1, self.plugin["xep_0198"].request_ack)

    async def do_receipt(self, command):
        message = self.make_message(mto=command["to"], mtype="chat")
        message["receipt"] = command["id"]
        message.send()

    async def do_marker(self, command):
        self.plugin["xep_0333"].send_marker(slixmpp.JID(command["to"]), command["id"], command["marker"])

    async def do_raw(self, command):
        self.send_raw(command["xml"])

    async def do_carbons(self, command):
        await self.plugin["xep_0280"].enable()
        tell(self.name, "done", of="carbons")

    async def do_block(self, command):
        await self.plugin["xep_0191"].block(slixmpp.JID(command["jid"]))
        tell(self.name, "done", of="block")

    async def do_unblock(self, command):
        await self.plugin["xep_0191"].unblock(slixmpp.JID(command["jid"]))
        tell(self.name, "done", of="unblock")

    async def do_blocked(self, command):
        tell(self.name, "blocked", jids=sorted(str(jid) for jid in await self.plugin["xep_0191"].get_blocked_jids()))

    async def do_archive(self, command):
        """The whole archive, in pages of so many."""
        to = slixmpp.JID(command["of"]) if command.get("of") else None
        other = slixmpp.JID(command["with"]) if command.get("with") else None
        found = [
            {"archive_id": one["mam_result"]["id"], "stamp": one["mam_result"]["forwarded"]["delay"]["stamp"].isoformat(), **described(one["mam_result"]["forwarded"]["stanza"])}
            async for one in self.plugin["xep_0313"].iterate(jid=to, with_jid=other, rsm={"max": command["page"]})
        ]
        tell(self.name, "archive", messages=found)

    async def do_disco(self, command):
        info = await self.plugin["xep_0030"].get_info(jid=slixmpp.JID(command["of"]))
        tell(self.name, "disco", features=sorted(info["disco_info"]["features"]))

    async def do_ping(self, command):
        await self.plugin["xep_0199"].send_ping(slixmpp.JID(command["to"]))
        tell(self.name, "done", of="ping")

    async def do_stop(self, command):
        self.stopping = True
        await self.disconnect()


async def carry_out(clients, command):
    name = command["client"]
    try:
        if command["do"] == "connect":
            client = clients[name] = Client(name, command)
            await client.connect(*client.at)
        else:
            await clients[name].do(command)
    except (IqError, PresenceError) as refused:
        tell(name, "error", of=command["do"], condition=refused.condition)
    except Exception as failure:  # The test must see it, whatever it is.
        tell(name, "broken", of=command["do"], what=repr(failure))


async def main():
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    ElementTree.register_namespace("", "jabber:client")
    reader = asyncio.StreamReader(limit=1 << 24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    clients, running = {}, set()
    while line := await reader.readline():
        task = asyncio.ensure_future(carry_out(clients, json.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)


asyncio.run(main())
