// The codec of the npm package smpp, a JSON object a line: {"read": hex} or {"write": command, ...}.
"use strict";
const readline = require("readline");
const { PDU } = require("smpp");

function plain(value) {
  if (Buffer.isBuffer(value)) return { hex: value.toString("hex") };
  if (Array.isArray(value)) return value.map(plain);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
  }
  return value;
}

function octets(value) {
  if (value && value.hex !== undefined) return Buffer.from(value.hex, "hex");
  return value;
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const order = JSON.parse(line);
  if (order.read !== undefined) {
    const pdu = PDU.fromBuffer(Buffer.from(order.read, "hex"));
    console.log(JSON.stringify(plain({ ...pdu })));
  } else {
    const options = Object.fromEntries(
      Object.entries(order.options).map(([key, value]) => [key, octets(value)]),
    );
    console.log(JSON.stringify({ hex: new PDU(order.write, options).toBuffer().toString("hex") }));
  }
});
