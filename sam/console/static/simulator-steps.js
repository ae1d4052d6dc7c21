// The story, step by step: what is said of each, which keys show it, and when it has happened.
export function makeSteps(hands, phones) {
  return [
    {
      id: "ask", name: "Ask", title: "Alice asks Sam for a key with Bob",
      text: "One SMS there, one back. They may take days, come twice, come late. Anyone may listen: the answer is sealed for Alice’s SIM.",
      play: hands.haveKey,
      happened: (t) => t.event === "received" && t.phone === "alice" && t.status === "answered",
    },
    {
      id: "cut", name: "Cut", title: "Weeks later, both are out of range",
      text: "Switch off both signals. From here on nobody can reach Sam, and nobody needs to.",
      play: async () => { await hands.signal("alice", false); await hands.signal("bob", false); },
      happened: () => phones.alice.screen?.signal === false && phones.bob.screen?.signal === false,
    },
    {
      id: "hand", name: "Hand over", title: "Alice reads out 20 digits, Bob types them",
      text: "The digits carry no key. They tell Bob’s SIM which one to derive, and 40 bits of them prove that Alice’s SIM, or Sam, made them for Bob.",
      play: hands.handOver,
      happened: (t) => t.event === "typed" && t.what === "ticket" && t.kcv && t.phone === "bob",
    },
    {
      id: "slip", name: "Slip", title: "Bob mistypes a digit",
      text: "He need not start all over: Alice’s phone gives one more group of four, and Bob’s phone finds which digit it was and repairs it.",
      play: async () => {
        await hands.haveKey();
        await hands.showTicket();
        await hands.typeUnder("bob", "3 1");
        await hands.readAloud("alice", "bob", { slip: true });
        await hands.until(() => phones.bob.screen?.tone === "asking");
        await hands.press("alice", "ok");
        await hands.until(() => hands.code("alice").length === 6);
        await hands.readAloud("alice", "bob");
      },
      happened: (t) => t.event === "typed" && t.status === "repaired",
    },
    {
      id: "prove", name: "Prove", title: "Each makes sure of the other",
      text: "Bob reads out 8 digits, Alice’s phone answers with 8. Only the two phones that hold the key can do it.",
      play: hands.prove,
      happened: (t) => t.event === "typed" && t.what === "response" && t.status === "accepted",
    },
    {
      id: "pay", name: "Pay", title: "Alice pays Bob: key and payment in 20 digits, one way",
      text: "Alice types the sum and her PIN. The digits carry neither: both phones know whom and how much, and 40 bits prove it all. Bob need not have typed a ticket before.",
      play: async () => { await hands.haveKey(); await hands.pay("250"); await hands.readAloud("alice", "bob"); },
      happened: (t) => t.event === "typed" && t.phone === "bob" && t.mode && t.status !== "refused" && t.balance,
    },
    {
      id: "cheque", name: "Again", title: "Every further payment: a cheque of 16 digits",
      text: "Under a key that both have, one way, in any order; each is credited once. One slip in it is repaired without asking.",
      play: async () => { await hands.bothHaveKey(); await hands.pay("120*50"); await hands.readAloud("alice", "bob", { slip: hands.code("alice").length === 4 }); },
      happened: (t) => t.event === "typed" && t.phone === "bob" && t.mode === "cheque" && t.balance,
    },
    {
      id: "challenge", name: "Challenge", title: "Large sums: Bob wants proof that Alice is there",
      text: "His phone makes up a request of 8 digits for this sum; hers answers with 12. A recorded answer is worth nothing.",
      play: async () => { await hands.bothHaveKey(); await hands.charged("900", "3"); },
      happened: (t) => t.event === "typed" && t.phone === "bob" && t.mode === "challenge" && t.balance,
    },
    {
      id: "small", name: "Small", title: "Small sums need no key between the two",
      text: "8 digits there, 8 back, under a key that all phones share for a while. It breaks with one opened SIM, so it never carries much.",
      play: () => hands.charged("20", "4"),
      happened: (t) => t.event === "typed" && t.phone === "bob" && t.mode === "small" && t.balance,
    },
  ];
}
