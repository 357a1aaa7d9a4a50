// The gate through which name, token and ticket leave: nothing about us is sent before it is known who answered, and a
// ticket goes to the server alone that issued it.

import type { Fingerprint } from "../../shared/crypto/fingerprint.ts";
import { ConnectionError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { IdentityError } from "../../shared/channel/handshake_error.ts";
import type { NoteLevel } from "../base/note_level.ts";
import type { KnownServers } from "../net/known_servers.ts";
import type { Introduction, SessionDestination } from "./session.ts";

/** What a gate needs. */
export interface ServerGateOptions {
  /** `host:port` as the user knows it. */
  readonly address: string;
  readonly token: string | undefined;
  /** The server that a link or --fingerprint names. */
  readonly pinned: Fingerprint | undefined;
  /** Servers that are remembered. */
  readonly known: Pick<KnownServers, "find" | "remember"> | undefined;
  /** `--known-servers`: each new one is remembered without being asked for it; true unless told. */
  readonly remembersAll?: boolean;
  /** Whether TLS has verified the server's certificate for the name of its host. */
  readonly isCertified: boolean;
  /** Whether the way there proves who answers, without a network in between: this machine, or an onion service. */
  readonly isDirect: boolean;
  readonly tell: (level: NoteLevel, text: string, hint?: string) => void;
}

/** How the connection came to be over which a server answered. */
export interface AnsweredOver {
  /** Whether it is TLS with a certificate that nobody verified. */
  readonly isUnverified?: boolean | undefined;
}

const CHANGED_HINT =
  "it was restarted without --identity-file, or somebody intercepts the connection: ask its admin";

/** Decides for each server that answers whether it gets what is secret. */
export class ServerGate {
  readonly #options: ServerGateOptions;
  #token: string | undefined;
  #pinned: Fingerprint | undefined;
  #before: Fingerprint | undefined;
  /** The server that the user has vouched for, or that was remembered from an earlier call. */
  #vouched: Fingerprint | undefined;
  #hasWarned = false;
  #isUnverified = false;

  constructor(options: ServerGateOptions) {
    this.#options = options;
    this.#token = options.token;
    this.#pinned = options.pinned;
  }

  /** Whether there is a token. */
  get hasToken(): boolean {
    return this.#token !== undefined;
  }

  /** The only server that may answer; undefined where none was named. */
  get expected(): Fingerprint | undefined {
    return this.#pinned;
  }

  /** Whether a server can answer only if its fingerprint is the one that is known here. Throws ConfigError. */
  async knowsServer(): Promise<boolean> {
    const { known, address } = this.#options;
    return this.#pinned !== undefined || await known?.find(address) !== undefined;
  }

  /** Whether the server answered last over TLS with a certificate that nobody verified. */
  get isUnverified(): boolean {
    return this.#isUnverified;
  }

  /** Whether the server that answered last is the one that the user means, and not only the first one that answered. */
  get isProven(): boolean {
    const { isCertified, isDirect } = this.#options;
    return isCertified || isDirect || this.isCompared;
  }

  /** Whether the fingerprint of that server is one that the user has named, vouched for or remembered. */
  get isCompared(): boolean {
    if (this.#pinned !== undefined) return true;
    return this.#vouched !== undefined && this.#vouched === this.#before;
  }

  /** Takes a token that the user typed. */
  takeToken(token: string): void {
    this.#token = token;
  }

  /**
   * What may be said to the server of this fingerprint; undefined: v1, which cannot tell who it is. Throws
   * IdentityError where it is not the server that the user means, ConfigError where the known servers cannot be read.
   */
  async introduce(
    server: Fingerprint | undefined,
    { name, rooms, ticket }: SessionDestination,
    { isUnverified = false }: AnsweredOver = {},
  ): Promise<Introduction> {
    this.#isUnverified = isUnverified;
    if (server === undefined) this.#requireCertificate();
    else await this.#check(server);
    const isOfServer = server !== undefined && ticket?.server === server;
    return { name, rooms, token: this.#token, ticket: isOfServer ? ticket : undefined };
  }

  /** The user goes on with this server. Throws ConfigError where that cannot be remembered. */
  async trust(server: Fingerprint): Promise<void> {
    const { known, address, remembersAll = true } = this.#options;
    if (this.#pinned !== undefined) this.#pinned = server;
    else if (remembersAll || await known?.find(address) !== undefined) {
      await known?.remember(address, server);
    }
    this.#before = server;
    this.#vouched = server;
  }

  /** Remembers this server for other calls, as the user asked. Throws ConfigError. */
  async remember(server: Fingerprint): Promise<void> {
    await this.#options.known?.remember(this.#options.address, server);
    this.#vouched = server;
  }

  async #check(seen: Fingerprint): Promise<void> {
    const { address, known, remembersAll = true } = this.#options;
    if (this.#pinned !== undefined) return requireSame(seen, this.#pinned, { whose: "The server" });
    const remembered = await known?.find(address);
    if (remembered !== undefined) {
      requireSame(seen, remembered, { whose: address, isRemembered: true });
      // What this program remembered itself at its first connection proves no more than that did.
      if (this.#before === undefined) this.#vouched = remembered;
    } else {
      this.#requireCertificate();
      this.#compareWithBefore(seen);
      if (known !== undefined && remembersAll) {
        await known.remember(address, seen);
        this.#options.tell("info", `${address} is remembered as ${seen}`);
      }
    }
    this.#before = seen;
    this.#warnUnproven(seen);
  }

  /**
   * A certificate may be unknown only where the server shows a fingerprint that is known. v1 shows none, and a file of
   * known servers can change between the connection and this.
   */
  #requireCertificate(): void {
    const { address, isCertified } = this.#options;
    if (!this.#isUnverified || !isCertified) return;
    throw new ConnectionError(
      `Cannot connect to ${quote(address)}: neither certificate nor fingerprint proves who answers`,
      { hint: "use an invite link, --fingerprint or --ca-file" },
    );
  }

  /** Once: the first server to answer is taken at its word, and what is in between could be that server. */
  #warnUnproven(seen: Fingerprint): void {
    if (this.isProven || this.#hasWarned) return;
    this.#hasWarned = true;
    this.#options.tell(
      "warning",
      `Nothing proves that this is your server, so somebody in between could read everything: ${seen}`,
      "compare it with what the server printed, then /trust it, or /remember it for next time; an invite link " +
        "does that for you",
    );
  }

  /** Where nothing else says who it must be: the first one to answer is taken, and compared with from then on. */
  #compareWithBefore(seen: Fingerprint): void {
    const { address, isCertified, tell } = this.#options;
    const before = this.#before;
    if (before === seen) return;
    // Where nothing proves it, a warning says so; elsewhere there is nothing to compare it with.
    if (before === undefined) return;
    if (!isCertified) requireSame(seen, before, { whose: "The server" });
    tell(
      "info",
      `The server has another key now: ${seen}. Its certificate is valid for ${address}, so it counts as the same server.`,
    );
  }
}

function requireSame(
  seen: Fingerprint,
  expected: Fingerprint,
  { whose, isRemembered = false }: { readonly whose: string; readonly isRemembered?: boolean },
): void {
  if (seen === expected) return;
  throw new IdentityError(
    `${whose} has another key now: its fingerprint is ${seen}, it was ${expected}`,
    { seen, hint: CHANGED_HINT, isRemembered },
  );
}
