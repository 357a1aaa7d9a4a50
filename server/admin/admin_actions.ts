// Carries out an admin's command on a relay: returns an answer for people and for programs, and writes an audit line
// to the log, without content or names.

import { CmdchatError, LimitError, UsageError } from "../../shared/base/errors.ts";
import { durationText } from "../../shared/text/duration.ts";
import { hostAndPort } from "../../shared/text/host_and_port.ts";
import { nameInSentence } from "../../shared/text/names.ts";
import { ADMIN_CLIENT } from "../room/room_view.ts";
import type { AdminMessage } from "../cluster/cluster_messages.ts";
import type { AdminCommand, AdminRequest, AdminRequestOf } from "./admin_commands.ts";
import type { InvitedBy } from "../limits/invites.ts";
import type { NetworkBan } from "../limits/network_bans.ts";
import { BANNED, type Relay } from "../relay/relay.ts";
import type { Room } from "../room/room.ts";
import type { Session } from "../session/session.ts";
import {
  type IpNetwork,
  isWithin,
  networkOf,
  networkText,
  parseAddress,
  parseNetwork,
} from "../limits/ip_network.ts";

const NOTICE_PREFIX = "From the server's admin: ";

/** Result of a command. */
export interface AdminAnswer {
  /** For people: one line, or one line for each entry of a list. */
  readonly lines: readonly string[];
  /** The same for programs. */
  readonly data: Readonly<Record<string, unknown>>;
}

const KICKED = "You were removed by the server's admin.";
const OPEN_LABEL = /^open:(\d{1,15})$/;
const SEALED_LABEL = /^sealed:(\d{1,15})$/;

type Answers = {
  readonly [K in AdminCommand]: (
    relay: Relay,
    ask: AdminRequestOf<K>,
  ) => AdminAnswer | Promise<AdminAnswer>;
};

const ANSWERS: Answers = {
  sessions(relay, { names }) {
    if (names) audit(relay, { what: "sessions", names });
    const sessions = relay.sessions.map((session) => sessionRow(relay, session, names));
    const head = ["session", "token", "connection", "in", "out", "waiting", "open", "sealed"];
    const rows = sessions.map((row) => [
      row.session,
      row.token ?? "-",
      row.connection,
      row.received,
      row.sent,
      row.waiting,
      row.open,
      row.sealed,
      toSeconds(row.since),
      row.address,
      ...(row.names === undefined ? [] : [row.names.map(nameAndRoom).join(", ")]),
    ]);
    const all = [...head, "since", "address", ...(names ? ["names"] : [])];
    return {
      lines: [...table(all, rows), ...onlyHere(relay)],
      data: { sessions, ...others(relay) },
    };
  },

  rooms(relay, { names }) {
    if (names) audit(relay, { what: "rooms", names });
    const open = relay.rooms.all.map(({ id, title, memberCount }) => (
      { room: `open:${id}`, members: memberCount, ...(names ? { name: title } : {}) }
    ));
    const sealed = relay.sealed.list.map(({ number, attached }) => (
      { room: `sealed:${number}`, members: attached }
    ));
    const rooms: { room: string; members: number; name?: string }[] = [...open, ...sealed];
    const rows = rooms.map(({ room, members, name }) => [room, members, ...(name ? [name] : [])]);
    const lines = [...table(["room", "members"], rows), ...onlyHere(relay)];
    return { lines, data: { rooms, ...others(relay) } };
  },

  async kick(relay, { session: id }) {
    const address = await expelAnywhere(relay, id, KICKED);
    audit(relay, { what: "kick", client: id, address });
    return { lines: [`Ended session ${id}, from ${address}`], data: { session: id, address } };
  },

  async ban(relay, { whom, seconds }) {
    const network = typeof whom === "string"
      ? parseNetwork(whom)
      : sourceNetwork(await addressOf(relay, whom));
    const until = seconds === 0 ? undefined : Date.now() + seconds * 1_000;
    const ended = banHere(relay, { network, until });
    const text = networkText(network);
    relay.cluster?.sendAll({ kind: "banned", network: text, until: until ?? 0 });
    audit(relay, { what: "ban", network: text, seconds, ended });
    const time = seconds === 0 ? "permanently" : `for ${durationText(seconds)}`;
    const where = everywhere(relay);
    return {
      lines: [`Banned ${text} ${time}${where}; sessions ended here: ${ended}`],
      data: { network: text, until: until ?? null, ended, ...others(relay) },
    };
  },

  unban(relay, { network: wanted }) {
    const network = parseNetwork(wanted);
    const text = networkText(network);
    if (!relay.access.bans.lift(network)) {
      throw new LimitError(`Cannot lift the ban of ${text}: there is none`);
    }
    relay.cluster?.sendAll({ kind: "unbanned", network: text });
    audit(relay, { what: "unban", network: text });
    return { lines: [`Lifted the ban of ${text}${everywhere(relay)}`], data: { network: text } };
  },

  bans(relay) {
    const bans = relay.access.bans.list(Date.now()).map(({ network, until }) => ({
      network: networkText(network),
      until: until === undefined ? null : new Date(until).toISOString(),
    }));
    const rows = bans.map(({ network, until }) => [
      network,
      until === null ? "permanent" : toSeconds(until),
    ]);
    const { size } = relay.access.bans.fromFile;
    const more = size === 0 ? [] : [`and what --bans-file has: ${size}`];
    return { lines: [...table(["address", "until"], rows), ...more], data: { bans, inFile: size } };
  },

  notice(relay, { text }) {
    relay.tellAll(NOTICE_PREFIX + text);
    relay.cluster?.sendAll({ kind: "announced", text });
    const told = relay.sessions.filter(({ writer }) => writer !== undefined).length;
    audit(relay, { what: "notice", bytes: new TextEncoder().encode(text).length, told });
    const more = everywhere(relay);
    return {
      lines: [`Told ${told} session${told === 1 ? "" : "s"} here${more}`],
      data: { told, ...others(relay) },
    };
  },

  close(relay, { room: wanted }) {
    const [, sealed] = SEALED_LABEL.exec(wanted) ?? [];
    const closed = sealed === undefined
      ? closeOpen(relay, wanted)
      : closeSealed(relay, Number(sealed));
    audit(relay, { what: "close", ...closed });
    const { room, members } = closed;
    // An open room is closed on the other servers as well.
    const where = sealed === undefined ? [] : onlyHere(relay);
    return {
      lines: [`Closed ${room}; members removed: ${members}`, ...where],
      data: { room, members },
    };
  },

  cluster(relay) {
    const status = relay.cluster?.status;
    if (status === undefined) {
      return { lines: ["This server is alone: it has no --nats"], data: { cluster: null } };
    }
    const { isUp, reason, reconnects, refused, server, others, foreignMessages, told } = status;
    const refusals = Object.entries(refused).map(([kind, count]) => `${kind} ${count}`).join(", ");
    const servers = others.map((other) => [
      other.server,
      other.hasOurIdentity ? "same" : "ANOTHER",
    ]);
    return {
      lines: [
        `NATS: ${isUp ? "reached" : `cannot be reached: ${reason}`}; reconnects: ${reconnects}`,
        `refused by NATS: ${refusals}`,
        `messages under another CMDCHAT_CLUSTER_KEY: ${foreignMessages}`,
        `clients are told of: ${
          told.map(({ host, port }) => hostAndPort(host, port)).join(", ") || "no other server"
        }`,
        ...table(["server", "identity"], [[server, "this one"], ...servers]),
      ],
      data: { cluster: status },
    };
  },

  drain(relay, { on }) {
    relay.access.draining = on;
    audit(relay, { what: "drain", on });
    const here = relay.sessions.length;
    const text = on
      ? `Refusing new clients; sessions still connected: ${here}`
      : "Accepting clients again";
    return { lines: [text, ...onlyHere(relay)], data: { draining: on, sessions: here } };
  },
};

/** Carries out a command of the admin. Throws CmdchatError when it cannot. */
export async function runAdminCommand(relay: Relay, ask: AdminRequest): Promise<AdminAnswer> {
  // What it changed now, the next process would not know.
  if (relay.handingOver) throw new LimitError("Cannot run the command: the server is restarting");
  // The table's type ties each command to its request; TypeScript cannot follow the key through the union.
  const answer = ANSWERS[ask.command] as (relay: Relay, ask: AdminRequest) => AdminAnswer;
  return await answer(relay, ask);
}

/** Carries out a command that the admin gave at another server; never throws. */
export function followAdmin(relay: Relay, message: AdminMessage): void {
  try {
    follow(relay, message);
  } catch (error) {
    // The list of bans is full, or another version wrote a network that this one cannot read.
    if (!(error instanceof CmdchatError)) throw error;
    relay.log.warning("cannot follow the admin's command from another server", {
      what: message.kind,
    });
  }
}

function follow(relay: Relay, message: AdminMessage): void {
  switch (message.kind) {
    case "banned":
      banHere(relay, {
        network: parseNetwork(message.network),
        until: message.until === 0 ? undefined : message.until,
      });
      return;
    case "unbanned":
      return void relay.access.bans.lift(parseNetwork(message.network));
    case "barred":
      return relay.held.bar([message.source, message.ticket, message.digests]);
    case "announced":
      return relay.tellAll(NOTICE_PREFIX + message.text);
  }
}

/** Ends session `id` for an admin at another server. Returns its address; undefined if the session is not here. */
export function expelForAdmin(relay: Relay, id: number): string | undefined {
  const session = relay.session(id);
  if (session === undefined) return undefined;
  relay.expel(session, KICKED);
  return session.address;
}

function audit(relay: Relay, what: Readonly<Record<string, unknown>>): void {
  relay.log.info("audit", { by: "admin", ...what });
}

/** A name of several words stands in quotes: it must not pass for a name and a room. */
function nameAndRoom({ name, room }: { readonly name: string; readonly room: string }): string {
  return `${nameInSentence(name)} in ${nameInSentence(room)}`;
}

/** A time for people, who need no thousandths of a second; programs get them. */
function toSeconds(time: string): string {
  return time.replace(/\.\d+Z$/, "Z");
}

function sessionRow({ access }: Relay, session: Session, names: boolean) {
  const { id, isV1, writer, address, memberships, sealedRooms, since } = session;
  return {
    session: id,
    token: access.tokenName(session) ?? invitedBy(access.inviteOf(session), names) ?? null,
    connection: isV1 ? "v1" : writer === undefined ? "away" : "v2",
    received: session.received,
    sent: session.sent,
    waiting: writer?.waiting ?? 0,
    open: memberships.length,
    sealed: sealedRooms,
    since: new Date(since).toISOString(),
    address,
    ...(names ? { names: memberships.map(({ name, room }) => ({ name, room: room.title })) } : {}),
  };
}

/** By which invite a session came; whose it was by name only where names are asked for. */
function invitedBy(invite: InvitedBy | undefined, names: boolean): string | undefined {
  if (invite === undefined) return undefined;
  const { number, maker } = invite;
  return `invite ${number} of ${names ? nameInSentence(maker.name) : `session ${maker.client}`}`;
}

async function expelAnywhere(relay: Relay, id: number, why: string): Promise<string> {
  const session = relay.session(id);
  if (session !== undefined) {
    relay.expel(session, why);
    return session.address;
  }
  const address = await relay.cluster?.expel(id);
  if (address === undefined) throw nobody(id);
  return address;
}

// A session on another server is ended there at once; the ban would end it a moment later.
async function addressOf(relay: Relay, id: number): Promise<string> {
  return relay.session(id)?.address ?? await expelAnywhere(relay, id, BANNED);
}

function nobody(id: number): CmdchatError {
  return new LimitError(`Cannot find session ${id}: no session has that number`);
}

function sourceNetwork(address: string): IpNetwork {
  const network = networkOf(address);
  if (network === undefined) throw new UsageError("Cannot ban the session: its address is unknown");
  return network;
}

function banHere(relay: Relay, ban: NetworkBan): number {
  relay.access.bans.add(ban, Date.now());
  const within = relay.sessions.filter(({ address }) => {
    const parsed = parseAddress(address);
    return parsed !== undefined && isWithin(parsed, ban.network);
  });
  for (const session of within) relay.expel(session, BANNED);
  return within.length;
}

// Everybody is kicked under the admin's number, so members on other servers are removed as well.
function closeOpen(relay: Relay, wanted: string): { room: string; members: number } {
  const [, number] = OPEN_LABEL.exec(wanted) ?? [];
  const room = relay.rooms.all.find(({ id, title }) =>
    number === undefined ? title === wanted.normalize("NFKC").toLowerCase() : id === Number(number)
  );
  // The answer may end up in a log, and what was typed may be a name: it is not repeated.
  if (room === undefined) {
    throw new LimitError("Cannot close the room: this server has no room of that name");
  }
  const members = removeAll(room);
  return { room: `open:${room.id}`, members };
}

function removeAll(room: Room): number {
  const all = room.occupants;
  for (const { client: whom, name: whomName } of all) {
    room.publish({
      kind: "moderated",
      client: ADMIN_CLIENT,
      name: "The server's admin",
      time: Date.now(),

      request: 0,
      what: "kick",
      whom,
      whomName,
      seconds: 0,
      text: "the room is closed",
    });
  }
  return all.length;
}

function closeSealed(relay: Relay, number: number): { room: string; members: number } {
  const members = relay.sealed.shut(number);
  if (members !== undefined) return { room: `sealed:${number}`, members };
  throw new LimitError("Cannot close the room: this server has no room of that number");
}

function table(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string[] {
  const all = [head, ...rows.map((row) => row.map(String))];
  const widths = head.map((_, n) => Math.max(...all.map((row) => row[n]?.length ?? 0)));
  return all.map((row) => row.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join("  ").trimEnd());
}

function others({ cluster }: Relay): { readonly otherServers?: number } {
  return cluster === undefined ? {} : { otherServers: cluster.others };
}

function onlyHere({ cluster }: Relay): string[] {
  return cluster === undefined ? [] : [`on this server only; other servers: ${cluster.others}`];
}

function everywhere({ cluster }: Relay): string {
  return cluster === undefined ? "" : `, and on other servers: ${cluster.others}`;
}
