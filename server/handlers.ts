// What the server does with each request of a client: one handler a kind.

import { CmdchatError, LimitError, ProtocolError } from "../shared/errors.ts";
import type { Request, RequestOf } from "../shared/messages_v2.ts";
import { parseName, parseRoom } from "../shared/names.ts";
import { Broadcast } from "./broadcast.ts";
import type { Member } from "./member.ts";

type Handled = Exclude<Request["kind"], "hello" | "bye">;
type Handlers = {
  readonly [K in Handled]: (member: Member, request: RequestOf<K>) => void;
};

const encoder = new TextEncoder();

const HANDLERS: Handlers = {
  chat(member, { id, text }) {
    const bytes = encoder.encode(text).length;
    const most = member.relay.config["max-message"];
    if (bytes === 0) throw new LimitError("Cannot send the message: it is empty");
    if (bytes > most) {
      throw new LimitError(
        `Cannot send the message: it has ${bytes} bytes, at most ${most} are allowed`,
      );
    }
    member.room.publish({ kind: "chat", ...aboutOf(member), request: id, text });
  },

  rename(member, { id, name: wanted }) {
    const name = parseName(wanted);
    if (name !== member.name && member.room.isTaken(name, member)) {
      throw new LimitError(
        `Cannot use the name "${name}": somebody in this room has it, or one that looks like it`,
      );
    }
    if (name !== member.name) member.rename(name);
    answerDone(member, id);
  },

  move(member, { id, room: wanted }) {
    const name = parseRoom(wanted);
    if (name === member.room.name) return answerDone(member, id);
    // Opened before leaving: where that fails, the member stays where it is.
    const room = member.relay.room(name);
    const previous = member.name;
    member.leave();
    member.takeNameFor(room);
    if (!member.old) member.tell({ kind: "moved", id, room: name, name: member.name, at: room.at });
    member.enter(room);
    tellTakenName(member, previous);
  },

  offer(member, request) {
    const refusal = member.files.open(request);
    if (refusal !== undefined) throw new LimitError(`Cannot send the file: ${refusal}`);
    const { id, file, filename, size, chunks } = request;
    const offer = { kind: "offer", ...aboutOf(member), request: id } as const;
    member.room.send(new Broadcast({ ...offer, file, filename, size, chunks }, member.room.name));
  },

  chunk(member, { file, index, data, last }) {
    const refusal = member.files.chunk({ kind: "chunk", file, index, data, last });
    if (refusal !== undefined) {
      member.pace?.spend();
      return member.tell({ kind: "notice", text: `Cannot send the file: ${refusal}` });
    }
    const chunk = { kind: "chunk", ...aboutOf(member), file, index, data, last } as const;
    member.room.send(new Broadcast(chunk, member.room.name), member);
  },

  ping(member) {
    member.tell({ kind: "pong" });
  },

  pong() {},
};

/** Requests that count against the rate limit; a file's chunks are bounded by the file. */
const LIMITED: ReadonlySet<Request["kind"]> = new Set(["chat", "rename", "move", "offer"]);

/** Does what a request asks for, once. A refusal is told to the client; ProtocolError closes its link. */
export function handle(member: Member, request: Request): void {
  if (request.kind === "hello" || request.kind === "bye") {
    throw new ProtocolError(`Cannot take a ${request.kind} in the middle of a session`);
  }
  // A file's chunks are as many as the file needs; those that are refused are spent below.
  if (request.kind !== "chunk") member.pace?.spend();
  if ("id" in request) {
    if (request.id <= member.lastRequest) return member.answerRepeat(request.id);
    if (request.id !== member.lastRequest + 1) {
      throw new ProtocolError("Cannot take a request whose number is not the next");
    }
    member.lastRequest = request.id;
    if (LIMITED.has(request.kind) && !passesRateLimit(member, request.id)) return;
  }
  try {
    // The table's type ties each handler to its request; TypeScript cannot follow the key through the union.
    (HANDLERS[request.kind] as (member: Member, request: Request) => void)(member, request);
  } catch (error) {
    if (!(error instanceof CmdchatError) || !("id" in request)) throw error;
    member.decline(request.id, error.message);
  }
}

/** Tells a newcomer that its name was taken and which one it has now. */
export function tellTakenName(member: Member, wanted: string): void {
  if (member.name === wanted) return;
  const text = `The name "${wanted}" is taken here, so you are "${member.name}".`;
  member.tell({ kind: "notice", text });
}

// A v1 client has no request to be answered: what it asked for shows in the room.
function answerDone(member: Member, id: number): void {
  if (!member.old) member.tell({ kind: "done", id });
}

function aboutOf(member: Member): { client: number; name: string; time: number } {
  return { client: member.id, name: member.name, time: Date.now() };
}

function passesRateLimit(member: Member, id: number): boolean {
  const now = performance.now();
  const wait = member.rateLimit?.take(now) ?? 0;
  if (wait === 0) return true;
  member.relay.metrics.counters.rateLimited++;
  const rate = member.relay.config["rate-limit"];
  const why = `Not delivered: at most ${rate?.messages} messages in ${rate?.seconds} seconds are ` +
    `allowed. Wait ${Math.ceil(wait / 1_000)} s.`;
  if (!member.old) member.decline(id, why);
  else if (now >= member.quietUntil) {
    member.quietUntil = now + wait;
    member.tell({ kind: "declined", id, why });
  }
  return false;
}
