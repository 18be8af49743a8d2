// The npm package mqtt, driven by a test: a command in JSON on each line of standard input, an event on each line of standard output.
// The script beside this one does the same with paho-mqtt.

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import mqtt from "mqtt";

const tell = (event, fields = {}) => console.log(JSON.stringify({ event, ...fields }));

function connect(wanted) {
  const five = wanted.version === 5;
  const client = mqtt.connect({
    host: "127.0.0.1",
    port: wanted.port,
    protocol: wanted.ca ? "mqtts" : "mqtt",
    ca: wanted.ca ? readFileSync(wanted.ca) : undefined,
    servername: wanted.ca ? "localhost" : undefined,
    username: wanted.name ?? undefined,
    password: wanted.name === null ? undefined : wanted.password,
    clientId: wanted.id,
    clean: wanted.clean,
    keepalive: wanted.keep_alive,
    protocolVersion: wanted.version,
    properties: five ? { sessionExpiryInterval: wanted.clean ? 0 : 3600 } : undefined,
    will: wanted.will ? { ...wanted.will, qos: 1 } : undefined,
    // A test says when it comes again.
    reconnectPeriod: 0,
    resubscribe: false,
  });
  client.on("connect", (packet) => tell("connected", { present: packet.sessionPresent }));
  client.on("error", (error) => (error.code > 0 && error.code < 256 ? tell("refused", { why: error.message }) : undefined));
  client.on("close", () => tell("closed"));
  client.on("message", (topic, payload, packet) => tell("message", { topic, payload: payload.toString(), retained: packet.retain }));
  return client;
}

let client;
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  switch (command.do) {
    case "connect":
      client = connect(command);
      break;
    case "subscribe":
      client.subscribe(command.filter, { qos: 1 }, (error, granted) =>
        tell("subscribed", { granted: !error && granted.every((one) => one.qos < 128) }));
      break;
    case "publish":
      client.publish(command.topic, command.payload, { qos: 1, retain: command.retain }, (error) => tell("published", { taken: !error }));
      break;
    case "end":
      client.end();
      break;
  }
}
process.exit(0);
