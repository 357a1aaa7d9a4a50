// The people of a sealed room as this member knows them: a number for each, who has a connection, whose key was
// compared, and which name has come back with another key. A device key that was proven counts more than the key of a
// leaf, which is another one after each start: whoever proves the same one is the same person.

import { fromHex, toHex } from "#platform/bytes.ts";
import { nameKey } from "../../shared/text/names.ts";
import type { GroupMember } from "../mls/commit_rules.ts";
import { type SpokenFingerprint, spokenFingerprint } from "../mls/room_code.ts";

/** Somebody as the chat shows them. */
export interface SealedPerson extends SpokenFingerprint {
  /** For this process only. */
  readonly client: number;
  readonly name: string;
  readonly here: boolean;
  readonly own: boolean;
  /** The user has compared the key. */
  readonly verified: boolean;
  /** The name was another key's before, and the user has not looked at it yet. */
  readonly suspect: boolean;
  /** The device key that they have proven, in hexadecimal; absent: none. */
  readonly device?: string;
}

/** Somebody whose device key the user has compared, in this room or elsewhere; the key in hexadecimal. */
export interface RememberedPerson {
  readonly name: string;
  readonly key: string;
}

/**
 * Why a name is an alarm: it has another session key than before; or it is the name of somebody known, with another
 * device key or with none.
 */
export type AlarmCause = "session" | "other device" | "no device";

// More connections than a room can have: a relay may name others without end.
const HERE_MAX = 1_000;

// People of whom something is known, those who are gone included: whoever has the link can come and go without end.
const PEOPLE_MAX = 5_000;

interface Known {
  readonly key: string;
  readonly device: string | undefined;
  verified: boolean;
  suspect: boolean;
}

/** What is known of names, keys and connections in one room, for as long as the process lives. */
export class People {
  readonly #numbers = new Map<string, number>();
  readonly #names = new Map<string, string>();
  readonly #known = new Map<string, Known>();
  readonly #here = new Set<string>();
  readonly #ownHandle: string;
  /** Device keys that the user has compared, by name; and the keys alone. */
  #remembered = new Map<string, string>();
  #rememberedKeys = new Set<string>();
  #lastNumber = 0;

  constructor(ownHandle: string, remembered: readonly RememberedPerson[] = []) {
    this.#ownHandle = ownHandle;
    this.numberOf(ownHandle);
    this.remember(remembered);
  }

  /** The user knows these people, and no others. */
  remember(people: readonly RememberedPerson[]): void {
    const before = this.#rememberedKeys;
    this.#remembered = new Map(people.map(({ name, key }) => [nameKey(name), key]));
    this.#rememberedKeys = new Set(this.#remembered.values());
    for (const [name, known] of this.#known) {
      const { device } = known;
      if (device === undefined) continue;
      if (this.#remembered.get(name) === device) known.suspect = false;
      if (this.#rememberedKeys.has(device)) known.verified ||= !known.suspect;
      else if (before.has(device)) known.verified = false;
    }
  }

  /** Number of whoever speaks over that connection. */
  numberOf(handle: string): number {
    const known = this.#numbers.get(handle);
    if (known !== undefined) return known;
    const number = ++this.#lastNumber;
    this.#numbers.set(handle, number);
    return number;
  }

  /** Last name of whoever speaks over that connection. */
  nameOf(handle: string): string {
    return this.#names.get(handle) ?? "";
  }

  /** The connection of whoever has that number. */
  handleOf(client: number): string | undefined {
    for (const [handle, number] of this.#numbers) if (number === client) return handle;
    return undefined;
  }

  /** Somebody is in the room. Why that is an alarm, when that name was another key's; undefined: it is none. */
  meet(member: GroupMember): AlarmCause | undefined {
    this.#names.set(member.handle, member.name);
    const name = nameKey(member.name);
    const key = keyOf(member);
    const known = this.#known.get(name);
    if (known?.key === key) return undefined;
    const device = deviceOf(member);
    const remembered = member.handle === this.#ownHandle ? undefined : this.#remembered.get(name);
    const expected = remembered ?? known?.device;
    const isSame = device !== undefined && expected === device;
    const isAlarm = !isSame && (known !== undefined || remembered !== undefined);
    const verified = !isAlarm && device !== undefined &&
      (this.#rememberedKeys.has(device) || (isSame && known?.verified === true));
    this.#known.set(name, { key, device, verified, suspect: isAlarm });
    if (!isAlarm) return undefined;
    if (remembered === undefined) return "session";
    return device === undefined ? "no device" : "other device";
  }

  /**
   * Forgets the oldest of those who are not `present`, where too many are known. A key that was compared is kept: else
   * many comings and goings would end the alarm about another one.
   */
  trim(present: readonly GroupMember[]): void {
    const [handles, names] = [new Set([this.#ownHandle]), new Set<string>()];
    for (const { handle, name } of present) {
      handles.add(handle);
      names.add(nameKey(name));
    }
    for (const handle of this.#numbers.keys()) {
      if (this.#numbers.size <= PEOPLE_MAX) break;
      if (handles.has(handle)) continue;
      this.#numbers.delete(handle);
      this.#names.delete(handle);
    }
    for (const [name, { verified }] of this.#known) {
      if (this.#known.size <= PEOPLE_MAX) break;
      if (!verified && !names.has(name)) this.#known.delete(name);
    }
  }

  /** Somebody has another name and the same key: the verification stays. */
  renamed(previous: string, member: GroupMember): void {
    const known = this.#known.get(nameKey(previous));
    const former = this.#known.get(nameKey(member.name));
    this.#names.set(member.handle, member.name);
    const remembered = this.#remembered.get(nameKey(member.name));
    if (remembered !== undefined && remembered !== known?.device) return;
    if (known?.key === keyOf(member) && former === undefined) {
      this.#known.set(nameKey(member.name), { ...known });
    }
  }

  /** Whether a member's name came with another key and the user has not looked at it. */
  isSuspect(member: GroupMember): boolean {
    const known = this.#known.get(nameKey(member.name));
    return known?.key === keyOf(member) && known.suspect;
  }

  /**
   * The user has compared the key with this fingerprint, or only takes notice of it. False where nobody has that name,
   * or it is another key's by now: what was compared says nothing of that one.
   */
  accept(
    name: string,
    { verified, digits }: { readonly verified: boolean; readonly digits: string },
  ): boolean {
    const known = this.#known.get(nameKey(name));
    if (known === undefined) return false;
    if (spokenFingerprint(fromHex(known.key)).digits !== digits) return false;
    known.suspect = false;
    known.verified ||= verified;
    return true;
  }

  /** Whether somebody has a connection, as the relay says. */
  isHere(handle: string): boolean {
    return handle === this.#ownHandle || this.#here.has(handle);
  }

  /** The relay says that somebody has a connection, or has none. True when that is news. */
  setHere(handle: string, here: boolean): boolean {
    const was = this.#here.has(handle);
    if (here && !was && this.#here.size >= HERE_MAX) return false;
    if (here) this.#here.add(handle);
    else this.#here.delete(handle);
    return was !== here;
  }

  /** Exactly these connections stand. */
  replaceHere(handles: readonly string[]): void {
    this.#here.clear();
    for (const handle of handles) this.#here.add(handle);
  }

  /** A member as the chat shows it. */
  show(member: GroupMember): SealedPerson {
    const known = this.#known.get(nameKey(member.name));
    const isKnown = known?.key === keyOf(member);
    const device = deviceOf(member);
    return {
      ...spokenFingerprint(member.signatureKey),
      ...(device === undefined ? {} : { device }),
      client: this.numberOf(member.handle),
      name: member.name,
      here: this.isHere(member.handle),
      own: member.handle === this.#ownHandle,
      verified: isKnown && known.verified,
      suspect: isKnown && known.suspect,
    };
  }
}

function keyOf({ signatureKey }: GroupMember): string {
  return toHex(signatureKey);
}

function deviceOf({ device }: GroupMember): string | undefined {
  return device && toHex(device.key);
}

/** One of the two halves of a code for two members. */
export type PairCodePart = SpokenFingerprint;

/**
 * What two members compare, equal on both screens: both fingerprints in one order, as Signal's safety number is made
 * (libsignal, rust/protocol/src/fingerprint.rs). Not one hash over both keys: who sits in between chooses two keys, and
 * would need only a collision, which is half of the bits.
 */
export function pairCode(one: PairCodePart, other: PairCodePart): readonly PairCodePart[] {
  const parts = [one, other].map(({ digits, words }) => ({ digits, words }));
  return parts.sort((a, b) => a.digits < b.digits ? -1 : 1);
}
