"""paho-mqtt, driven by a test: a command in JSON on each line of standard input, an event on each line of standard output.

One client for each process. The module beside this one does the same with the npm package mqtt, so that one scenario runs with both.
"""

import json
import ssl
import sys
import threading

import paho.mqtt.client as paho

LOCK = threading.Lock()


def tell(event, **fields):
    with LOCK:
        print(json.dumps({"event": event, **fields}, ensure_ascii=False), flush=True)


def connected(client, _userdata, flags, reason, _properties):
    if reason.is_failure:
        tell("refused", why=str(reason))
    else:
        tell("connected", present=bool(flags.session_present))


def subscribed(_client, _userdata, _mid, reasons, _properties):
    tell("subscribed", granted=not any(reason.is_failure for reason in reasons))


def published(_client, _userdata, _mid, reason, _properties):
    tell("published", taken=not reason.is_failure)


def heard(_client, _userdata, message):
    tell("message", topic=message.topic, payload=message.payload.decode(), retained=bool(message.retain))


def connect(wanted):
    kept = {} if wanted["version"] == 5 else {"clean_session": wanted["clean"]}
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=wanted["id"], protocol=wanted["version"], **kept)
    if wanted["name"] is not None:
        client.username_pw_set(wanted["name"], wanted["password"])
    if wanted["ca"] is not None:
        client.tls_set_context(ssl.create_default_context(cafile=wanted["ca"]))
    if wanted["will"] is not None:
        will = wanted["will"]
        client.will_set(will["topic"], will["payload"], 1, will["retain"])
    client.on_connect, client.on_subscribe, client.on_publish, client.on_message = connected, subscribed, published, heard
    client.on_disconnect = lambda *_: tell("closed")
    # A test says when it comes again.
    client.reconnect_delay_set(3600, 3600)
    expiry = {}
    if wanted["version"] == 5:
        properties = paho.Properties(paho.PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 0 if wanted["clean"] else 3600
        expiry = {"clean_start": wanted["clean"], "properties": properties}
    client.connect("127.0.0.1", wanted["port"], wanted["keep_alive"], **expiry)
    client.loop_start()
    return client


def main():
    client = None
    for line in sys.stdin:
        command = json.loads(line)
        match command["do"]:
            case "connect":
                client = connect(command)
            case "subscribe":
                client.subscribe(command["filter"], 1)
            case "publish":
                client.publish(command["topic"], command["payload"], 1, command["retain"])
            case "end":
                client.disconnect()


main()
