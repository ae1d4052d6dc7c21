// An SMSC by the npm package smpp, as a process that takes the orders of smsc_smpp34.py.
//
//     node tests/equipment/smsc_npm.js PORT [KEY CERT]
//
// With a key and a certificate it speaks TLS. The package is found by NODE_PATH.
"use strict";
const fs = require("fs");
const readline = require("readline");
const smpp = require("smpp");

const WINDOW = 50;
const RETRY_MS = 200;
const REFUSED_FOR_GOOD = 0x65;

let waiting = new Map();
let submitted = [];
let settled = 0, told = 0, serial = 0, ids = 0, binds = 0, echoes = 0;
let behaviour = {};
const receivers = new Map();
const sessions = new Set();

function send(session, number) {
  const receiver = receivers.get(session);
  if (!receiver || !waiting.has(number) || receiver.offered.has(number)) return;
  if (receiver.offered.size >= WINDOW) {
    receiver.later.push(number);
    return;
  }
  const order = waiting.get(number);
  receiver.offered.add(number);
  const pdu = {
    source_addr: order.source,
    source_addr_ton: order.ton === undefined ? 1 : order.ton,
    source_addr_npi: 1,
    destination_addr: order.number || "7267",
    esm_class: order.esm_class || 0,
    data_coding: order.data_coding || 0,
    short_message: order.content !== undefined
      ? Buffer.from(order.content, "hex")
      : Buffer.from(order.text || "", "latin1"),
  };
  for (const [tag, value] of order.tlvs || []) {
    const known = smpp.tlvsById[tag];
    if (!known) smpp.addTLV("tag" + tag, { id: tag, type: smpp.types.tlv.buffer });
    const name = smpp.tlvsById[tag].tag;
    const octets = Buffer.from(value, "hex");
    const type = smpp.tlvsById[tag].type;
    if (type === smpp.types.tlv.int8 || type === smpp.types.tlv.int16 || type === smpp.types.tlv.int32) {
      pdu[name] = octets.readUIntBE(0, octets.length);
    } else if (type === smpp.types.tlv.cstring) {
      pdu[name] = octets.toString("latin1").replace(/\0$/, "");
    } else {
      pdu[name] = octets;
    }
  }
  session.deliver_sm(pdu, (answer) => {
    receiver.offered.delete(number);
    if (answer.command_status === 0 || answer.command_status === REFUSED_FOR_GOOD) {
      waiting.delete(number);
    } else {
      setTimeout(() => send(session, number), RETRY_MS);
    }
    const next = receiver.later.shift();
    if (next !== undefined) send(session, next);
  });
}

function deliver(order) {
  waiting.set(++serial, order);
  offer(serial);
}

// Offers what no session that is still there was given.
function offer(number) {
  const all = [...receivers.keys()];
  const order = waiting.get(number);
  if (!all.length || receivers.has(order.at)) return;
  order.at = all[number % all.length];
  send(order.at, number);
}

function receipt(message) {
  const state = behaviour.state || "DELIVRD";
  const order = { source: message.to, esm_class: 4 };
  const id = behaviour.receipt_id || message.id;
  if (behaviour.receipts === "tlv") {
    const number = { DELIVRD: 2, EXPIRED: 3, UNDELIV: 5 }[state];
    order.tlvs = [
      [0x1e, Buffer.from(id + "\0").toString("hex")],
      [0x427, number.toString(16).padStart(2, "0")],
    ];
  } else {
    const dates = "submit date:YYMMDDhhmm done date:99999999999999";
    order.text = `id:${id} sub:001 dlvrd:001 ${dates} stat:${state} err:000 text:`;
  }
  if (behaviour.user_reference) {
    order.tlvs = (order.tlvs || []).concat(message.tlvs.filter((t) => t[0] === 0x204));
  }
  deliver(order);
}

function take(session, pdu) {
  if (behaviour.silent) return;
  const refusals = behaviour.refuse || [];
  const status = refusals.length ? refusals.shift() : 0;
  if (status) {
    session.send(pdu.response({ command_status: status }));
    return;
  }
  const id = behaviour.message_id !== undefined ? behaviour.message_id : String(++ids);
  const reference = pdu.user_message_reference;
  submitted.push({
    id,
    to: pdu.destination_addr,
    ton: pdu.dest_addr_ton,
    from: pdu.source_addr,
    text: typeof pdu.short_message.message === "string"
      ? pdu.short_message.message
      : Buffer.from(pdu.short_message.message).toString("latin1"),
    tlvs: reference === undefined ? [] : [[0x204, reference.toString(16).padStart(4, "0")]],
  });
  const answer = () => session.send(pdu.response({ message_id: id }));
  if (behaviour.early) {
    receipt(submitted[submitted.length - 1]);
    settled = submitted.length;
    setTimeout(answer, 200);
  } else {
    answer();
  }
  if (behaviour.echo) deliver({ source: pdu.destination_addr, text: String(++echoes) });
}

function accept(session) {
  sessions.add(session);
  session.on("error", () => session.destroy());
  session.on("close", () => {
    sessions.delete(session);
    if (receivers.delete(session)) for (const number of waiting.keys()) offer(number);
  });
  session.on("enquire_link", (pdu) => session.send(pdu.response()));
  session.on("unbind", (pdu) => { session.send(pdu.response()); session.close(); });
  session.on("submit_sm", (pdu) => take(session, pdu));
  for (const kind of ["bind_transceiver", "bind_receiver", "bind_transmitter"]) {
    session.on(kind, (pdu) => {
      if (behaviour.password !== undefined && pdu.password !== behaviour.password) {
        session.send(pdu.response({ command_status: 0x0e }));
        return;
      }
      binds++;
      session.send(pdu.response({ system_id: "npm" }));
      if (kind !== "bind_transmitter") {
        receivers.set(session, { offered: new Set(), later: [] });
        for (const number of waiting.keys()) offer(number);
      }
    });
  }
}

const [port, key, cert] = process.argv.slice(2);
const options = key ? { key: fs.readFileSync(key), cert: fs.readFileSync(cert) } : {};
let server = null;

function listen(done) {
  server = smpp.createServer(options, accept);
  server.on("tlsClientError", () => {});
  server.listen(Number(port), "127.0.0.1", done);
}

function cut() {
  for (const session of sessions) session.destroy();
}

function deaf() {
  if (server) server.close();
  server = null;
  cut();
}

const status = () => ({
  waiting: waiting.size, submitted: submitted.length, receivers: receivers.size, binds,
});
const say = (facts) => process.stdout.write(JSON.stringify(facts) + "\n");

function obey(order) {
  switch (order.op) {
    case "deliver": deliver(order); break;
    case "submitted": return say({ messages: submitted });
    case "settle":
      for (const message of submitted.slice(settled)) receipt(message);
      settled = submitted.length;
      break;
    case "behave": behaviour = order.how; break;
    case "turn": {
      for (const [source, text] of order.deliver || []) deliver({ source, text });
      const news = submitted.slice(told);
      told = submitted.length;
      return say({ submitted: news.map((each) => [each.to, each.text]) });
    }
    case "cut": cut(); break;
    case "deaf": deaf(); break;
    case "listen": return listen(() => say(status()));
    case "reset":
      waiting = new Map();
      submitted = [];
      settled = told = 0;
      behaviour = {};
      deaf();
      return listen(() => say(status()));
  }
  say(status());
}

listen(() => say({ event: "ready" }));
const orders = readline.createInterface({ input: process.stdin });
orders.on("line", (line) => obey(JSON.parse(line)));
orders.on("close", () => process.exit(0));
