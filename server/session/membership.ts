// A session in one of its rooms: the name that it has there, and what it does there.

import type { EventOf, MemberState } from "../../shared/messages/messages_v2.ts";
import type { EncodedEvent } from "../delivery/encoded_event.ts";
import { type Position, whenPlaced } from "../room/bus.ts";
import type { Room, RoomMember } from "../room/room.ts";
import type { Session } from "./session.ts";

/** One session in one room. */
export class Membership implements RoomMember {
  readonly session: Session;
  readonly room: Room;
  /** When it came, ms since 1970. */
  readonly since: number;
  /** Monotonic ms until which "is writing" is not passed on again. */
  typingQuietUntil = -Infinity;
  /** When it said something last, ms since 1970. */
  saidAt = -Infinity;
  #name: string;
  #announced = false;

  /** Takes `known`, which the session has in the room already, or its wanted name, or the next one that is free. */
  constructor(
    session: Session,
    room: Room,
    { name: known, since = Date.now() }: {
      readonly name?: string | undefined;
      readonly since?: number | undefined;
    } = {},
  ) {
    this.session = session;
    this.room = room;
    this.since = since;
    this.#name = known ?? room.freeName(session.wantedName);
    this.#announced = known !== undefined;
    room.add(this);
  }

  get id(): number {
    return this.session.id;
  }

  get name(): string {
    return this.#name;
  }

  get address(): string {
    return this.session.address;
  }

  get state(): MemberState {
    return this.session.state;
  }

  get status(): string | null {
    return this.session.status;
  }

  deliver(broadcast: EncodedEvent): void {
    this.session.deliver(broadcast);
  }

  /** Who does something, and when. */
  about(): { readonly client: number; readonly name: string; readonly time: number } {
    return { client: this.id, name: this.#name, time: Date.now() };
  }

  /** Tells the session that it is in, as the answer to request `id`, and everyone that it came. */
  announce(id: number): void {
    this.#announced = true;
    this.tellEntered(id, { at: this.room.at, complete: true });
    const placed = this.room.publish({
      kind: "joined",
      ...this.about(),
      old: this.session.old,
    });
    whenPlaced(placed, () => this.tellMembers());
  }

  /** Tells the session that it is in, and up to which place. */
  tellEntered(id: number, standing: { readonly at: number; readonly complete: boolean }): void {
    const { id: room, title, topic } = this.room;
    this.session.tell({ kind: "entered", id, room, title, name: this.#name, ...standing, topic });
  }

  /** Tells the session who is here. */
  tellMembers(): void {
    for (const part of this.room.list) this.session.tell(part);
    const { maker, locked, slow } = this.room.rules;
    this.session.tell({ kind: "rules", room: this.room.id, maker, locked, slow });
  }

  /** Asks for a name that is free here, and has it once everyone is told. */
  rename(name: string): Position {
    if (name === this.#name) return this.room.at;
    return this.room.publish({ kind: "renamed", ...this.about(), name, previous: this.#name });
  }

  takeName(name: string): void {
    if (name === this.#name) return;
    this.room.rename(this.#name, name);
    this.#name = name;
  }

  refresh(): void {
    this.tellEntered(0, { at: this.room.at, complete: false });
    this.tellMembers();
  }

  obey({ what, seconds, time }: EventOf<"moderated">): void {
    if (what !== "kick" && what !== "ban") return;
    const { relay, address } = this.session;
    // Whoever shares an address with others of the room, as behind one proxy, takes nobody along.
    if (what === "ban" && !this.room.isAddressShared(this)) {
      const until = seconds === 0 ? Infinity : time + seconds * 1_000;
      relay.addressBans.add(this.room.title, address, until);
    }
    this.session.leave(this);
    // A v1 client is in one room, and has nowhere to be without it.
    if (this.session.old) void this.session.dismiss({ why: "You were removed.", retry: false });
  }

  pulled({ client, file, index, count }: EventOf<"pull">): void {
    const { files, old } = this.session;
    const standing = files.standing(file);
    // A file is asked for where it was offered: numbers of files must not reach beyond their room.
    const isOurs = !old && standing?.room === this.room.id;
    const granted = isOurs ? files.pull({ receiver: client, file, index, count }) : undefined;
    const reached = granted === undefined ? null : standing?.next ?? null;
    this.room.passTo(client, { kind: "reached", client: this.id, file, index: reached });
    if (granted === undefined || granted === 0) return;
    const wanted = { file, index, count: granted };
    this.session.tell({ kind: "pull", room: this.room.id, client, ...wanted });
  }

  contradict(what: "left" | "away"): void {
    const about = this.about();
    if (what === "left") this.room.publish({ kind: "joined", ...about, old: this.session.old });
    else if (this.state === "here") this.room.publish({ kind: "back", ...about });
  }

  /** Leaves; everyone else is told. */
  leave(): void {
    if (!this.room.has(this)) return;
    this.room.remove(this);
    if (this.#announced) this.room.publish({ kind: "left", ...this.about() });
    this.#announced = false;
    this.session.relay.tidy(this.room);
  }
}

/** Tells a newcomer that its name was taken and which one it has now. */
export function tellTakenName(membership: Membership, wanted: string): void {
  const { name, session, room } = membership;
  if (name === wanted) return;
  const text = session.old
    ? `The name "${wanted}" is taken here, so you are "${name}".`
    : `The name "${wanted}" is taken in "${room.title}", so you are "${name}" there.`;
  session.tell({ kind: "notice", room: room.id, text });
}
