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
