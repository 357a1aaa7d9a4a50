// What stories about members of a sealed room begin and end with.

import assert from "node:assert/strict";
import { type Peer, TestRelay } from "./sealed_relay.ts";

/** A room of these members, the first of whom makes it. */
export async function roomOf(...names: string[]): Promise<{ relay: TestRelay; peers: Peer[] }> {
  const relay = new TestRelay();
  const peers: Peer[] = [];
  for (const name of names) peers.push(await relay.enter(name));
  return { relay, peers };
}

/** All are in, in one epoch with one code and the same people. */
export function assertAgreed(...peers: Peer[]): void {
  const [first] = peers.map(({ machine }) => machine.status);
  for (const { machine: { status } } of peers) {
    assert.equal(status.phase, "in", status.name);
    assert.equal(status.code, first?.code, status.name);
    assert.deepEqual(
      status.people.map(({ name }) => name),
      first?.people.map(({ name }) => name),
      status.name,
    );
  }
}

/** The alarms that somebody was shown: of names with other keys, and of other dangers. */
export const dangers = (peer: Peer): string[] => [
  ...peer.told("alarm").map(({ name }) => `${name} has another key`),
  ...peer.told("note").filter(({ level }) => level === "danger").map(({ text }) => text),
];

/** All that somebody was told beside talk. */
export const notes = (peer: Peer): string =>
  [...peer.told("note"), ...peer.told("shut")].map(({ text }) => text).join("\n");

/** The user of a member has compared the key that somebody has now. */
export function accept({ machine }: Peer, name: string): Promise<void> {
  const person = machine.status.people.find((each) => each.name === name);
  return machine.handle({ kind: "accept", name, verified: true, digits: person?.digits ?? "" });
}

let requests = 1_000;

/** The number by which `peer` knows a member; 0: nobody of that name. */
function numberOf(peer: Peer, name: string): number {
  return peer.machine.status.people.find((person) => person.name === name)?.client ?? 0;
}

/** Asks for a change; nothing of it has left. */
export async function wants(
  by: Peer,
  what: "kick" | "op" | "deop" | "lock" | "unlock",
  name = "",
): Promise<void> {
  const [request, whom] = [++requests, numberOf(by, name)];
  if (what === "kick") await by.machine.handle({ kind: "kick", request, whom, reason: "" });
  else if (what === "op" || what === "deop") {
    await by.machine.handle({ kind: "op", request, whom, isOp: what === "op" });
  } else await by.machine.handle({ kind: "lock", request, locked: what === "lock" });
}

/** The same, and everybody has heard what comes of it. */
export async function decide(...[by, what, name]: Parameters<typeof wants>): Promise<void> {
  await wants(by, what, name);
  await by.relay.settle();
}
