// What Mallory and a cheating Bob try: which keys, and what tells how it ended.
export function makeCheats(hands, phones) {
  const withKeys = [
    {
      id: "overhear", title: "Use an overheard ticket",
      text: "Mallory types Alice’s ticket for Bob into her own phone.",
      play: async () => { await hands.haveKey(); await hands.showTicket(); await hands.typeUnder("mallory", "3 1"); await hands.readAloud("alice", "mallory"); },
      verdict: (t) => t.event === "typed" && t.phone === "mallory",
    },
    {
      id: "pose", title: "Pass a ticket off as her own",
      text: "Mallory reads Alice’s digits to Bob and says that they are hers.",
      play: async () => { await hands.haveKey(); await hands.showTicket(); await hands.typeUnder("bob", "3 2"); await hands.readAloud("alice", "bob"); },
      verdict: (t) => t.event === "typed" && t.phone === "bob",
    },
    {
      id: "replay-ask", title: "Replay Alice’s SMS to Sam",
      text: "Mallory sends the recorded request once more, in Alice’s name.",
      play: async () => { await hands.haveKey(); await hands.again("ask", false); },
      verdict: hands.arrivedAgain,
    },
    {
      id: "forge-ask", title: "Alter Alice’s SMS",
      text: "She changes one letter of the recorded request and sends it to Sam.",
      play: async () => { await hands.haveKey(); await hands.again("ask", true); },
      verdict: hands.arrivedAgain,
    },
    {
      id: "forge-answer", title: "Forge Sam’s answer",
      text: "She changes one letter of Sam’s answer and sends it to Alice.",
      play: async () => { await hands.haveKey(); await hands.signal("alice", true); await hands.press("alice", "end"); await hands.again("answer", true); },
      verdict: (t) => t.event === "received" && t.phone === "alice" && t.reason === "not-authentic",
    },
    {
      id: "old", title: "Bring back an old ticket",
      text: "Alice gets a newer key and both confirm it. Then somebody reads Bob the first ticket, which was genuine.",
      play: async () => {
        await hands.haveKey();
        await hands.showTicket();
        const old = hands.code("alice").join("");
        await hands.signal("alice", true);
        await hands.ask();
        await hands.handOver();
        await hands.prove();
        await hands.until(() => phones.bob.screen?.title === "Proved");
        await hands.typeUnder("bob", "3 1");
        await hands.press("bob", old);
      },
      verdict: (t) => t.event === "typed" && t.phone === "bob" && t.reason === "superseded",
    },
  ];

  const withMoney = [
    {
      id: "pay-replay", title: "Cash a payment twice",
      text: "Bob types the digits of one payment a second time.",
      play: async () => {
        await hands.express("30");
        await hands.readAloud("alice", "bob");
        await hands.shows("bob", "Received");
        await hands.readAloud("alice", "bob");
      },
      verdict: (t) => t.event === "typed" && t.phone === "bob" && t.reason === "credited",
    },
    {
      id: "pay-amount", title: "Ask for more than was paid",
      text: "Alice pays 40; Bob tells his phone that it was 4000.",
      play: async () => {
        await hands.express("40");
        const digits = hands.code("alice").join("");
        await hands.typeUnder("bob", "7 1 4000 ok 2");
        await hands.press("bob", digits.length === 16 ? `${digits} ok` : digits);
      },
      verdict: (t) => t.event === "typed" && t.phone === "bob" && t.minor === 400000,
    },
    {
      id: "pay-payee", title: "Cash somebody else’s payment",
      text: "Mallory overhears Alice’s digits for Bob and takes the payment herself.",
      play: async () => {
        await hands.express("50");
        const digits = hands.code("alice").join("");
        await hands.typeUnder("mallory", "7 1 50 ok 2");
        await hands.press("mallory", digits.length === 16 ? `${digits} ok` : digits);
      },
      verdict: (t) => t.event === "typed" && t.phone === "mallory" && t.minor === 5000,
    },
  ];

  // Attacks that succeed now and then are tried hundreds of times, on the first protocol and on ours.
  const tried = [
    {
      id: "collision", title: "Find two prices that look alike",
      text: "The payee throws requests away until one for 4.50 has the same digits as one for 45.00, and shows the customer the cheap one. In DigiTally’s first protocol the answer paid for either.",
    },
    {
      id: "replay", title: "Play back recorded answers",
      text: "The payee records 20 payments and hopes that its phone asks the same question once more. In the first protocol nothing but a short nonce stood against that.",
    },
  ];

  return { withKeys, withMoney, tried };
}
