// Who may use the server: tokens, networks that an admin banned, the number of connections, and the rates at which one
// source may open connections and try tokens.

import type { Logger } from "@logtape/logtape";
import { timingSafeEqual } from "node:crypto";
import { type AccessToken, tokenDigest } from "../config/access_tokens.ts";
import { WRONG_TOKEN_RATE } from "../config/limits.ts";
import type { ServerConfig } from "../config/server_options.ts";
import { type ConnectionSlot, ConnectionSlots } from "../limits/connection_slots.ts";
import { type Invite, Invites, type InvitesState } from "../limits/invites.ts";
import { sourceOf } from "../limits/ip_network.ts";
import { NetworkBans } from "../limits/network_bans.ts";
import { SourceRate } from "../limits/source_rate.ts";
import type { Counters } from "../telemetry/counters.ts";
import { RepeatLog } from "../telemetry/repeat_log.ts";

const RATE_REACHED = "too many new connections";

/** What access control reports to. */
export interface AccessContext {
  readonly counters: Counters;
  readonly log: Logger;
}

/** The limits that access control holds. */
export type AccessLimits = Pick<
  ServerConfig,
  "max-connections" | "max-per-address" | "connection-rate"
>;

/** How fast one source may come; undefined where addresses tell nothing about clients, as behind a proxy. */
interface SourceRates {
  readonly connections?: SourceRate;
  /** Of connections that come for a held session once the rate is reached. */
  readonly resumptions?: SourceRate;
  readonly wrongTokens?: SourceRate;
}

/** What a token is worth: `later` = not looked at, after too many wrong ones from the same source. */
export type TokenVerdict = "right" | "wrong" | "later";

/** Decides about connections before anything is read from them, and about tokens after that. */
export class Access {
  /** Networks that an admin banned from the whole server; the makers of rooms have bans of their own. */
  readonly bans = new NetworkBans();
  /** Whether new clients are refused while the sessions that are here stay. */
  draining = false;
  readonly #slots: ConnectionSlots;
  readonly #counters: Counters;
  readonly #refusals: RepeatLog;
  #rates: SourceRates;
  #tokens: readonly AccessToken[];
  /** Tokens that members had made for others. */
  readonly invites = new Invites();
  readonly #tokensOf = new WeakMap<object, Uint8Array>();
  readonly #invitesOf = new WeakMap<object, Invite>();
  #closed = false;

  constructor(config: ServerConfig, { counters, log }: AccessContext) {
    this.#slots = new ConnectionSlots(slotLimits(config));
    this.#counters = counters;
    this.#refusals = new RepeatLog({
      report: (address, count, why) => log.warning("connection refused", { address, count, why }),
    });
    this.#rates = ratesOf(config);
    this.#tokens = config.tokens;
  }

  /** Connections that are counted now, held sessions included. */
  get connections(): number {
    return this.#slots.taken;
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Refuses every connection from now on. */
  close(): void {
    this.#closed = true;
  }

  /** Counts a connection in, or returns undefined where it is refused. */
  admit(address: string): ConnectionSlot | undefined {
    const decided = this.#decide(address, performance.now());
    if (typeof decided !== "string") {
      this.#counters.connectionsAccepted++;
      return decided;
    }
    this.#counters.connectionsRefused++;
    this.#refusals.note(sourceOf(address), decided);
    return undefined;
  }

  /** The same for a connection whose address a proxy has still to tell; `admit` decides once it is known. */
  admitUnknown(): ConnectionSlot | undefined {
    const heldOnly = this.draining;
    const slot = this.#closed ? undefined : this.#slots.admitUnknown({ heldOnly });
    if (slot === undefined) this.#counters.connectionsRefused++;
    return slot;
  }

  /** Counts a slot beside the caps: for a session whose own connection, which they know, is about to end. */
  keepSlot(address: string): ConnectionSlot {
    return this.#slots.hold(address);
  }

  /** Remembers with which token a client came, so that its session ends with that token. */
  noteToken(session: object, token: string | null | undefined): void {
    if (this.hasTokens) this.#tokensOf.set(session, tokenDigest(token ?? ""));
  }

  /** The same by the digest that the process before knew. */
  noteDigest(session: object, digest: Uint8Array): void {
    this.#tokensOf.set(session, digest);
  }

  /** Digest of the token that a client came with; undefined where it needed none. */
  tokenOf(session: object): Uint8Array | undefined {
    return this.#tokensOf.get(session);
  }

  /** Lets one session in by `token` where that is an invite; "ended" where it was one a moment ago. */
  useInvite(token: string | null | undefined): Invite | "ended" | undefined {
    const digest = tokenDigest(token ?? "");
    if (!this.hasTokens || this.#find(digest) !== undefined) return undefined;
    const invite = this.invites.use(digest, Date.now());
    if (invite !== undefined) this.#counters.invitesUsed++;
    return invite ?? "ended";
  }

  /** Remembers by which invite a session came. */
  noteInvite(session: object, invite: Invite | undefined): void {
    if (invite !== undefined) this.#invitesOf.set(session, invite);
  }

  /** The invite that a session came by. */
  inviteOf(session: object): Invite | undefined {
    return this.#invitesOf.get(session);
  }

  /** Whether the token of a session is none of the server's any more; of who came by an invite, that of its maker. */
  isRevoked(session: object): boolean {
    const digest = this.#invitesOf.get(session)?.maker.token ?? this.#tokensOf.get(session);
    return digest !== undefined && this.hasTokens && this.#find(digest) === undefined;
  }

  /** The name of the token that a session came with; undefined where it has none, or came by another server. */
  tokenName(session: object): string | undefined {
    const digest = this.#tokensOf.get(session);
    return digest === undefined ? undefined : this.#find(digest)?.name;
  }

  /** The name of `token`; undefined where it has none, or is none of the server's. */
  nameOfToken(token: string | null | undefined): string | undefined {
    return this.hasTokens ? this.#find(tokenDigest(token ?? ""))?.name : undefined;
  }

  /** Uses other limits from now on; who is here stays. */
  useLimits(config: AccessLimits): void {
    this.#slots.useLimits(slotLimits(config));
    this.#rates = ratesOf(config);
  }

  /** From now on lets in whoever has one of these tokens, or everyone where there is none. */
  useTokens(tokens: readonly AccessToken[]): void {
    this.#tokens = tokens;
    this.#endOrphans();
  }

  /** Goes on with the invites of the process before, as far as their makers' tokens are tokens here. */
  restoreInvites(state: InvitesState): void {
    this.invites.restore(state);
    this.#endOrphans();
  }

  /** Whether a client needs a token now. */
  get hasTokens(): boolean {
    return this.#tokens.length > 0;
  }

  /**
   * Judges `token` of a client at `address`. `resumes`: the session for which its ticket is right, so that it may try at
   * any time, and by an invite that has ended since it came.
   */
  judgeToken(
    token: string | null | undefined,
    { address, resumes }: { readonly address: string; readonly resumes: object | undefined },
  ): TokenVerdict {
    const now = performance.now();
    const isBack = resumes !== undefined;
    if (this.#rates.wrongTokens?.allows(address, now) === false && !isBack) return "later";
    if (this.isAuthorized(token) || (isBack && this.#cameBy(resumes, token))) return "right";
    this.#rates.wrongTokens?.take(address, now);
    return "wrong";
  }

  /** Whether `token` is one of the server's; all are compared, each in constant time. */
  isAuthorized(token: string | null | undefined): boolean {
    if (!this.hasTokens) return true;
    const digest = tokenDigest(token ?? "");
    // Both are looked up, whatever the first says: how long an answer takes tells nothing about them.
    const invite = this.invites.find(digest, Date.now());
    return this.#find(digest) !== undefined || invite !== undefined;
  }

  /** Whether a session came by an invite of this token, whose maker's token still holds. */
  #cameBy(session: object, token: string | null | undefined): boolean {
    const digest = this.#tokensOf.get(session);
    return this.#invitesOf.has(session) && digest !== undefined && !this.isRevoked(session) &&
      timingSafeEqual(digest, tokenDigest(token ?? ""));
  }

  #endOrphans(): void {
    this.invites.keep((digest) => this.#find(digest) !== undefined);
  }

  #find(digest: Uint8Array): AccessToken | undefined {
    let found: AccessToken | undefined;
    for (const known of this.#tokens) {
      if (timingSafeEqual(known.digest, digest)) found = known;
    }
    return found;
  }

  /** A slot, or why there is none. */
  #decide(address: string, now: number): ConnectionSlot | string {
    if (this.#closed) return "the server is stopping";
    if (this.bans.covers(address, Date.now())) return "an admin banned the address";
    const isTooFast = this.#rates.connections?.take(address, now) === false;
    if (isTooFast && !this.#rates.resumptions?.take(address, now)) return RATE_REACHED;
    const slot = this.#slots.admit(address, {
      heldOnly: this.draining || isTooFast,
      ownOnly: isTooFast,
    });
    if (slot !== undefined) return slot;
    return isTooFast ? RATE_REACHED : this.draining ? "the server is draining" : "a cap is reached";
  }
}

function slotLimits({ "max-connections": most, "max-per-address": perSource }: AccessLimits) {
  return { most, perSource };
}

function ratesOf(
  { "max-per-address": perSource, "connection-rate": rate }: AccessLimits,
): SourceRates {
  if (perSource === undefined) return {};
  const wrongTokens = new SourceRate(WRONG_TOKEN_RATE);
  if (rate === undefined) return { wrongTokens };
  return { wrongTokens, connections: new SourceRate(rate), resumptions: new SourceRate(rate) };
}
