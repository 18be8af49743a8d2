// @xmpp/client, driven by a test: a command in JSON on each line of standard input, an event on each line of standard
// output. The script beside this one does the same with slixmpp.

import { createInterface } from "node:readline";
import { client as connection, xml } from "@xmpp/client";
import parse from "@xmpp/xml/lib/parse.js";

const NS = {
  blocking: "urn:xmpp:blocking", carbons: "urn:xmpp:carbons:2", data: "jabber:x:data", delay: "urn:xmpp:delay", disco: "http://jabber.org/protocol/disco#info",
  forward: "urn:xmpp:forward:0", mam: "urn:xmpp:mam:2", markers: "urn:xmpp:chat-markers:0", muc: "http://jabber.org/protocol/muc", muc_user: "http://jabber.org/protocol/muc#user",
  ping: "urn:xmpp:ping", receipts: "urn:xmpp:receipts", rsm: "http://jabber.org/protocol/rsm", sid: "urn:xmpp:sid:0",
};
const MARKERS = ["received", "displayed", "acknowledged"];

const tell = (client, event, fields = {}) => console.log(JSON.stringify({ client, event, ...fields }));
const elements = (element) => element.children.filter((child) => typeof child !== "string");
const condition = (stanza) => elements(stanza.getChild("error") ?? xml("error"))[0]?.name;

// What tests ask of a message.
function described(message) {
  const marker = MARKERS.find((name) => message.getChild(name, NS.markers));
  return {
    from: message.attrs.from ?? "",
    to: message.attrs.to ?? "",
    type: message.attrs.type ?? "normal",
    id: message.attrs.id ?? "",
    body: message.getChildText("body"),
    stanza_id: message.getChild("stanza-id", NS.sid)?.attrs.id ?? null,
    delay: message.getChild("delay", NS.delay)?.attrs.stamp ?? null,
    receipt: message.getChild("received", NS.receipts)?.attrs.id ?? null,
    marker: marker ? [marker, message.getChild(marker, NS.markers).attrs.id] : null,
    error: message.attrs.type === "error" ? condition(message) : null,
    xml: message.toString(),
  };
}

const forwarded = (element) => element.getChild("forwarded", NS.forward);

class Client {
  joining = new Map();
  archived = new Map();

  constructor(name, wanted) {
    this.name = name;
    const credentials = (authenticate, mechanisms) => {
      if (!mechanisms.includes(wanted.mechanism)) throw new Error(`${wanted.mechanism} is not offered but ${mechanisms}`);
      return authenticate({ username: wanted.user, password: wanted.password }, wanted.mechanism);
    };
    const service = wanted.websocket ?? `xmpp://${wanted.host}:${wanted.port}`;
    this.xmpp = connection({ service, domain: wanted.domain, resource: wanted.resource, credentials, timeout: 30_000 });
    this.xmpp.reconnect.delay = 200;
    this.xmpp.on("online", (jid) => this.online(jid));
    this.xmpp.streamManagement.on("resumed", () => tell(name, "resumed", { jid: this.xmpp.jid.toString() }));
    this.xmpp.streamManagement.on("ack", (stanza) => tell(name, "acked", { id: stanza.attrs.id ?? "" }));
    this.xmpp.on("disconnect", () => tell(name, "offline"));
    this.xmpp.on("error", (error) => this.failed(error));
    this.xmpp.on("stanza", (stanza) => this.stanza(stanza));
  }

  // It is online for the library before it counts stanzas, and then loses count of those that come meanwhile.
  online(jid) {
    if (!this.xmpp.streamManagement.enabled) return setTimeout(() => this.online(jid), 5);
    tell(this.name, "online", { jid: jid.toString(), tls: this.xmpp.isSecure() });
  }

  failed(error) {
    if (error.name === "SASLError") {
      // It would try again and again.
      this.xmpp.reconnect.stop();
      tell(this.name, "refused", { condition: error.condition });
    } else if (error.name === "StreamError") tell(this.name, "stream_error", { condition: error.condition });
    else process.stderr.write(`${this.name}: ${error.stack}\n`);
  }

  stanza(stanza) {
    if (stanza.is("message")) this.message(stanza);
    else if (stanza.is("presence")) this.presence(stanza);
  }

  message(message) {
    for (const direction of ["sent", "received"]) {
      const carbon = message.getChild(direction, NS.carbons);
      if (carbon) return tell(this.name, "carbon", { direction, ...described(forwarded(carbon).getChild("message")) });
    }
    const result = message.getChild("result", NS.mam);
    if (result) return this.archived.get(result.attrs.queryid)?.push(result);
    const subject = message.getChild("subject") && !message.getChild("body");
    if (subject) this.joined(message);
    tell(this.name, subject ? "subject" : "message", described(message));
  }

  presence(presence) {
    const [room, nick] = (presence.attrs.from ?? "").split(/\/(.*)/s);
    const join = this.joining.get(room);
    if (!join) return;
    if (presence.attrs.type === "error") {
      this.joining.delete(room);
      return tell(this.name, "error", { of: "join", condition: condition(presence) });
    }
    const statuses = presence.getChild("x", NS.muc_user)?.getChildren("status").map((status) => +status.attrs.code) ?? [];
    if (statuses.includes(110)) Object.assign(join, { nick, statuses: statuses.sort((a, b) => a - b) });
    else join.occupants.push(nick);
  }

  // The subject ends what one is told on joining.
  joined(message) {
    const room = message.attrs.from.split("/")[0];
    const join = this.joining.get(room);
    if (!join) return;
    this.joining.delete(room);
    join.occupants.sort();
    tell(this.name, "joined", { ...join, subject: message.getChildText("subject") ?? "" });
  }

  async iq(type, to, child) {
    const { iqCaller } = this.xmpp;
    return iqCaller.request(xml("iq", { type, ...(to && { to }) }, child), 30_000);
  }

  presence_({ to, type }) { return this.xmpp.send(xml("presence", { ...(to && { to }), ...(type && { type }) })); }

  join({ room, nick, history }) {
    this.joining.set(room, { occupants: [] });
    const wanted = history === undefined || history === null ? [] : [xml("history", { maxstanzas: String(history) })];
    return this.xmpp.send(xml("presence", { to: `${room}/${nick}` }, xml("x", { xmlns: NS.muc }, wanted)));
  }

  say({ to, body, id, type = "chat", receipt, markable }) {
    const more = [receipt && xml("request", { xmlns: NS.receipts }), markable && xml("markable", { xmlns: NS.markers })];
    return this.xmpp.send(xml("message", { to, id, type }, xml("body", {}, body), ...more.filter(Boolean)));
  }

  receipt({ to, id }) { return this.xmpp.send(xml("message", { to, type: "chat" }, xml("received", { xmlns: NS.receipts, id }))); }

  marker({ to, id, marker }) { return this.xmpp.send(xml("message", { to, type: "chat" }, xml(marker, { xmlns: NS.markers, id }))); }

  raw({ xml: text }) { return this.xmpp.send(parse(text)); }

  async carbons() {
    await this.iq("set", null, xml("enable", { xmlns: NS.carbons }));
    tell(this.name, "done", { of: "carbons" });
  }

  async block({ jid }) {
    await this.iq("set", null, xml("block", { xmlns: NS.blocking }, xml("item", { jid })));
    tell(this.name, "done", { of: "block" });
  }

  async unblock({ jid }) {
    await this.iq("set", null, xml("unblock", { xmlns: NS.blocking }, xml("item", { jid })));
    tell(this.name, "done", { of: "unblock" });
  }

  async blocked() {
    const list = (await this.iq("get", null, xml("blocklist", { xmlns: NS.blocking }))).getChild("blocklist");
    tell(this.name, "blocked", { jids: list.getChildren("item").map((item) => item.attrs.jid).sort() });
  }

  // The whole archive, in pages of so many.
  async archive({ of, with: other, page }) {
    const messages = [];
    for (let after = null, complete = false; !complete; ) {
      const queryid = `q${messages.length}`;
      this.archived.set(queryid, []);
      const field = (name, value, type) => xml("field", { var: name, ...(type && { type }) }, xml("value", {}, value));
      const form = xml("x", { xmlns: NS.data, type: "submit" }, field("FORM_TYPE", NS.mam, "hidden"), other && field("with", other));
      const set = xml("set", { xmlns: NS.rsm }, xml("max", {}, String(page)), after && xml("after", {}, after));
      const fin = (await this.iq("set", of, xml("query", { xmlns: NS.mam, queryid }, form, set))).getChild("fin");
      const results = this.archived.get(queryid);
      this.archived.delete(queryid);
      messages.push(...results.map((result) => ({
        archive_id: result.attrs.id,
        stamp: forwarded(result).getChild("delay").attrs.stamp,
        ...described(forwarded(result).getChild("message")),
      })));
      complete = fin.attrs.complete === "true" || results.length === 0;
      after = fin.getChild("set", NS.rsm)?.getChildText("last");
    }
    tell(this.name, "archive", { messages });
  }

  async disco({ of }) {
    const query = (await this.iq("get", of, xml("query", { xmlns: NS.disco }))).getChild("query");
    tell(this.name, "disco", { features: query.getChildren("feature").map((feature) => feature.attrs.var).sort() });
  }

  async ping({ to }) {
    await this.iq("get", to, xml("ping", { xmlns: NS.ping }));
    tell(this.name, "done", { of: "ping" });
  }

  stop() { return this.xmpp.stop(); }
}

const clients = new Map();

async function carryOut(command) {
  const name = command.client;
  try {
    if (command.do === "connect") {
      const made = new Client(name, command);
      clients.set(name, made);
      // Its failures come as events too.
      made.xmpp.start().catch(() => {});
    } else await clients.get(name)[command.do === "presence" ? "presence_" : command.do](command);
  } catch (error) {
    if (error.name === "StanzaError") tell(name, "error", { of: command.do, condition: error.condition });
    else tell(name, "broken", { of: command.do, what: String(error.stack) });
  }
}

createInterface({ input: process.stdin }).on("line", (line) => carryOut(JSON.parse(line))).on("close", () => process.exit(0));
