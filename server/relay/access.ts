// Who may use the server: tokens, networks that an admin banned, the number of connections, and the rates at which one
// source may open connections and try tokens.

import type { Logger } from "@logtape/logtape";
import { timingSafeEqual } from "node:crypto";
import type { Cluster } from "../cluster/cluster.ts";
import type { GuestPass } from "../cluster/cluster_contract.ts";
import { type AccessToken, tokenDigest } from "../config/access_tokens.ts";
import type { ServerConfig } from "../config/server_options.ts";
import { type ConnectionSlot, ConnectionSlots } from "../limits/connection_slots.ts";
import type { Invite, InvitedBy, InvitesState } from "../limits/invites.ts";
import { sourceOf } from "../limits/ip_network.ts";
import { NetworkBans } from "../limits/network_bans.ts";
import { SourceRate } from "../limits/source_rate.ts";
import { connectionsMax } from "../net/file_handles.ts";
import type { Counters } from "../telemetry/counters.ts";
import { RepeatLog } from "../telemetry/repeat_log.ts";
import { InviteBook, type InviteUse } from "./invite_book.ts";
import { TokenGuesses } from "./token_guesses.ts";

const RATE_REACHED = "too many new connections";
const DRAINING = "the server is draining";
const SITE_RATE_REACHED = "too many new connections from its IPv6 /48";

/** What access control reports to. */
export interface AccessContext {
  readonly counters: Counters;
  readonly log: Logger;
  /** The other servers, where they share invites. */
  readonly cluster?: Cluster | undefined;
  /** What rates are measured by: monotonic ms. */
  readonly now?: () => number;
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
  readonly wrongTokens?: TokenGuesses;
}

/**
 * What a token is worth: `later` = wrong, or one that could be guessed, after too many wrong ones from the same source;
 * `unknown` = it may be an invite that only other servers know of now.
 */
export type TokenVerdict = "right" | "wrong" | "later" | "unknown";

/** Who comes back: the session for which its ticket is right, or the invite by which it came to another server. */
export type Returning = { readonly session: object } | { readonly guest: GuestPass };

/** Decides about connections before anything is read from them, and about tokens after that. */
export class Access {
  /** Networks that an admin banned from the whole server; the makers of rooms have bans of their own. */
  readonly bans = new NetworkBans();
  /** Whether new clients are refused while the sessions that are here stay. */
  draining = false;
  readonly #slots: ConnectionSlots;
  readonly #counters: Counters;
  readonly #now: () => number;
  readonly #refusals: RepeatLog;
  #rates: SourceRates;
  #tokens: readonly AccessToken[];
  /** Tokens that members had made for others. */
  readonly invites: InviteBook;
  readonly #tokensOf = new WeakMap<object, Uint8Array>();
  readonly #invitesOf = new WeakMap<object, InvitedBy>();
  #closed = false;

  constructor(
    config: ServerConfig,
    { counters, log, cluster, now = () => performance.now() }: AccessContext,
  ) {
    this.#now = now;
    this.invites = new InviteBook(config.invites ? cluster : undefined, {
      onLost: () => log.warning("invites are missing from NATS: all that were open have ended"),
    });
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
    const decided = this.#decide(address, this.#now());
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
    const slot = this.#closed
      ? undefined
      : this.#slots.admitUnknown(this.draining ? DRAINING : undefined);
    if (slot === undefined) this.#counters.connectionsRefused++;
    return slot;
  }

  /** Counts a slot outside the caps: for a session whose own connection, which they count, is about to end. */
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

  /**
   * Lets one session in by `token` where that is an invite; "ended" where it was one a moment ago, "unknown" where the
   * other servers cannot say.
   */
  async useInvite(
    token: string | null | undefined,
  ): Promise<InviteUse | "ended" | "unknown" | undefined> {
    const digest = tokenDigest(token ?? "");
    if (!this.hasTokens || this.#find(digest) !== undefined) return undefined;
    if (this.#openInvite(digest) === undefined) return "ended";
    const use = await this.invites.use(digest, Date.now());
    return typeof use === "string" ? "unknown" : use ?? "ended";
  }

  /** Remembers by which invite a session came. */
  noteInvite(session: object, invite: InvitedBy | undefined): void {
    if (invite !== undefined) this.#invitesOf.set(session, invite);
  }

  /** The same for a session that another server had. */
  noteGuest(session: object, guest: GuestPass | undefined): void {
    if (guest === undefined) return;
    const { invite: number, maker: client, makerName: name, token } = guest;
    this.noteInvite(session, { number, maker: { client, name, token } });
  }

  /** The invite that a session came by. */
  inviteOf(session: object): InvitedBy | undefined {
    return this.#invitesOf.get(session);
  }

  /** The same as another server must know it. */
  guestPassOf(session: object): GuestPass | undefined {
    const invite = this.#invitesOf.get(session);
    const digest = this.#tokensOf.get(session);
    if (invite === undefined || digest === undefined) return undefined;
    const { number, maker: { client, name, token } } = invite;
    return { digest, token, invite: number, maker: client, makerName: name };
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

  /** The name of `token`; undefined if it has no name, or is not one of the server's tokens. */
  nameOfToken(token: string | null | undefined): string | undefined {
    return this.hasTokens ? this.#find(tokenDigest(token ?? ""))?.name : undefined;
  }

  /** Uses other limits from now on; connections that are open stay. */
  useLimits(config: AccessLimits): void {
    this.#slots.useLimits(slotLimits(config));
    this.#rates = ratesOf(config);
  }

  /** From now on lets in clients with one of these tokens, or everyone where there is none. */
  useTokens(tokens: readonly AccessToken[]): void {
    const before = this.#tokens;
    this.#tokens = tokens;
    for (const { digest } of before) {
      if (this.#find(digest) === undefined) this.invites.end(digest);
    }
  }

  /** Goes on with the invites of the process before, as far as their makers' tokens are tokens here. */
  restoreInvites(state: InvitesState): void {
    this.invites.known.restore(state);
    this.invites.known.keep((digest) => this.#find(digest) !== undefined);
  }

  /** Whether a client needs a token now. */
  get hasTokens(): boolean {
    return this.#tokens.length > 0;
  }

  /**
   * Judges `token` of a client at `address`:
   * 1. A right one that cannot be guessed, random or an invite, is taken at any time: others' guesses keep nobody out.
   * 2. Any other one is `later`, right or wrong, once too many wrong ones came from there.
   * 3. A client with the right ticket may try at any time, and with an invite that has ended since it came.
   */
  judgeToken(
    token: string | null | undefined,
    { address, returning }: {
      readonly address: string;
      readonly returning: Returning | undefined;
    },
  ): TokenVerdict {
    if (!this.hasTokens) return "right";
    const { wrongTokens: guesses } = this.#rates;
    const now = this.#now();
    const isBack = returning !== undefined;
    const { known, invite } = this.#lookUp(token);
    const isLimited = !isBack && guesses?.allows(address, now) === false;
    if (isLimited && invite === undefined && known?.isRandom !== true) return "later";
    if (known !== undefined || invite !== undefined || (isBack && this.#cameBy(returning, token))) {
      guesses?.right(address);
      return "right";
    }
    guesses?.wrong(address, now);
    return this.invites.isBehind ? "unknown" : "wrong";
  }

  /** Whether `token` is one of the server's; all are compared, each in constant time. */
  isAuthorized(token: string | null | undefined): boolean {
    if (!this.hasTokens) return true;
    const { known, invite } = this.#lookUp(token);
    return known !== undefined || invite !== undefined;
  }

  /** Both are looked up, whatever the first says: how long an answer takes tells nothing about them. */
  #lookUp(token: string | null | undefined) {
    const digest = tokenDigest(token ?? "");
    return { known: this.#find(digest), invite: this.#openInvite(digest) };
  }

  /** Whether somebody came by an invite of this token, whose maker's token still holds. */
  #cameBy(returning: Returning, token: string | null | undefined): boolean {
    const guest = "guest" in returning ? returning.guest : this.guestPassOf(returning.session);
    return guest !== undefined && this.#find(guest.token) !== undefined &&
      timingSafeEqual(guest.digest, tokenDigest(token ?? ""));
  }

  /** The open invite of this token. Its maker's token is one here, whatever the other servers say. */
  #openInvite(digest: Uint8Array): Invite | undefined {
    const invite = this.invites.known.find(digest, Date.now());
    return invite !== undefined && this.#find(invite.maker.token) !== undefined
      ? invite
      : undefined;
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
    const { connections, resumptions } = this.#rates;
    const isTooFast = connections?.take(address, now) === false;
    const rate = isTooFast && connections.isSpentByNeighbors(address, now)
      ? SITE_RATE_REACHED
      : RATE_REACHED;
    if (isTooFast && !resumptions?.take(address, now)) return rate;
    const why = isTooFast ? rate : this.draining ? DRAINING : undefined;
    return this.#slots.admit(address, { heldOnly: why, ownOnly: isTooFast }) ?? why ??
      // Where no cap keeps it out, there is a slot.
      this.#slots.capFor(address) as string;
  }
}

function slotLimits({ "max-connections": most, "max-per-address": perSource }: AccessLimits) {
  return { most: connectionsMax(most), perSource };
}

function ratesOf(
  { "max-per-address": perSource, "connection-rate": rate }: AccessLimits,
): SourceRates {
  if (perSource === undefined) return {};
  const wrongTokens = new TokenGuesses();
  if (rate === undefined) return { wrongTokens };
  // Neighbors of its site that take more than their share must not keep out a client that comes back.
  const resumptions = new SourceRate(rate, { bySite: false });
  return { wrongTokens, connections: new SourceRate(rate), resumptions };
}
