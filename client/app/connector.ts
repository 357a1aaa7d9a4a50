// How a chat comes to its server: the token, the certificates, and the gate that decides who gets what.

import { SYSTEM_CLOCK } from "../base/clock.ts";
import { readVariable } from "../../shared/cli/environment.ts";
import { printError } from "../base/exit.ts";
import type { NoteLevel } from "../base/note_level.ts";
import type { ChatAddress } from "../chat/chat_options.ts";
import type { ClientConfig } from "../config/read_options.ts";
import { defaultKnownServersPath } from "../config/settings_file.ts";
import { readToken } from "../config/read_secrets.ts";
import type { Endpoint } from "../net/endpoint.ts";
import { needsNoProof } from "../net/host_addresses.ts";
import { KnownServers } from "../net/known_servers.ts";
import { readProxy } from "../net/proxy_choice.ts";
import { readTlsSettings } from "../net/tls_trust.ts";
import type { Dialer, DialerOptions } from "../session/dialer.ts";
import { ServerGate } from "../session/server_gate.ts";
import type { MoveRequest, ServerPlace, Session, SessionDestination } from "../session/session.ts";
import { hostAndPort } from "../../shared/text/host_and_port.ts";
import { ConfigError } from "../../shared/base/errors.ts";
import type { Fingerprint } from "../../shared/crypto/fingerprint.ts";
import { generateRsaKeyPair, type RsaKeyPair } from "../../shared/crypto/rsa.ts";

const INSECURE_WARNING =
  "--tls-insecure: nobody checks the certificate. Anybody can answer in the server's place.";
const V1_WARNING =
  "--legacy: the old protocol has no forward secrecy and cannot tell who the server is. " +
  "Without TLS, anybody in between can read and change everything.";

/** The server of a configuration, and the token for it. */
export interface ServerAccess {
  readonly endpoint: Endpoint;
  readonly token: string | undefined;
}

/** Reads token and certificates. Throws UsageError or ConfigError. */
export async function readAccess(config: ClientConfig): Promise<ServerAccess> {
  const { host, port, linkToken } = config;
  const [token, tls, proxy] = await Promise.all([
    readToken(config, { env: readVariable, warn: (text) => printError(`warning: ${text}`) }),
    readTlsSettings(config),
    readProxy(config, readVariable),
  ]);
  return {
    endpoint: { host, port, tls, webSocket: config.transport === "wss", proxy },
    token: token ?? linkToken,
  };
}

/** The user, as far as connecting needs them. */
export interface ConnectorUser {
  readonly tell: (level: NoteLevel, text: string, hint?: string) => void;
  /** Asks for a token; undefined where nobody can be asked. */
  readonly askToken: (() => Promise<string | undefined>) | undefined;
  /** Resolves when the terminal has what is to be painted now. */
  readonly shown: () => Promise<void>;
}

/** Opens the sessions of one chat. */
export class Connector {
  readonly address: ChatAddress;
  readonly #gate: ServerGate;
  readonly #known: KnownServers | undefined;
  readonly #options: DialerOptions;
  readonly #user: ConnectorUser;
  /** Of the first session: 50 to 230 ms that pass while everything else starts. */
  #keyPair: Promise<RsaKeyPair> | undefined = generateRsaKeyPair();
  #dialer: Promise<Dialer> | undefined;

  constructor(config: ClientConfig, { endpoint, token }: ServerAccess, user: ConnectorUser) {
    this.#user = user;
    const { host, port, tls, webSocket = false } = endpoint;
    const { fingerprint: pinned, "known-servers": knownPath, hasPage } = config;
    this.address = { host, port, tls: tls !== undefined, webSocket, hasPage, token };
    const path = knownPath ?? defaultKnownServersPath(readVariable);
    this.#known = path === undefined
      ? undefined
      : new KnownServers(path, { makesFolder: knownPath === undefined });
    this.#gate = new ServerGate({
      address: hostAndPort(host, port),
      token,
      pinned,
      known: this.#known,
      remembersAll: knownPath !== undefined,
      isCertified: tls !== undefined && !tls.insecure,
      isDirect: needsNoProof(host),
      tell: user.tell,
    });
    this.#options = {
      endpoint,
      gate: this.#gate,
      renderer: config.renderer,
      bufferSize: config["buffer-size"],
      clock: SYSTEM_CLOCK,
      askToken: user.askToken,
      onSilent: (text, hint) => user.tell("warning", text, hint),
      onInsecure: () => user.tell("danger", INSECURE_WARNING),
      onV1: config.legacy ? () => user.tell("danger", V1_WARNING) : undefined,
    };
  }

  /** Opens a session. Throws as Dialer.dial() does. */
  async dial(destination: SessionDestination, signal: AbortSignal): Promise<Session> {
    const dialer = await this.#loaded();
    return await dialer.dial(destination, signal);
  }

  /** Goes on at another server that the present one named. Throws as Dialer.move() does. */
  async move(place: ServerPlace, move: MoveRequest): Promise<Session> {
    const dialer = await this.#loaded();
    return await dialer.move(place, move);
  }

  /** What failed once, for want of memory or descriptors, is tried again by the next dial. */
  async #loaded(): Promise<Dialer> {
    const loading = this.#dialer ??= this.#load();
    try {
      return await loading;
    } catch (error) {
      if (this.#dialer === loading) this.#dialer = undefined;
      throw error;
    }
  }

  /** Loads the protocol, a third of the program, once the prompt is there. The key pair takes longer. */
  async #load(): Promise<Dialer> {
    await this.#user.shown();
    const { Dialer } = await import("../session/dialer.ts");
    const dialer = new Dialer(this.#options, this.#keyPair);
    // It opens what was sent under it: the dialer forgets it after its session has begun, and so does this.
    this.#keyPair = undefined;
    return dialer;
  }

  /** Whether the server that answered last is the one that the user means. */
  get isProven(): boolean {
    return this.#gate.isProven;
  }

  /** As ServerGate.isCompared. */
  get isCompared(): boolean {
    return this.#gate.isCompared;
  }

  /** Whether the server answered last over TLS with a certificate that nobody verified. */
  get isUnverified(): boolean {
    return this.#gate.isUnverified;
  }

  /** Goes on with a server that has another key now. Throws ConfigError. */
  trust(server: Fingerprint): Promise<void> {
    return this.#gate.trust(server);
  }

  /** Remembers a server for other calls; gives the file. Throws ConfigError. */
  async remember(server: Fingerprint): Promise<string> {
    if (this.#known === undefined) {
      throw new ConfigError("Cannot remember the server: there is no home folder", {
        hint: "--known-servers FILE says where",
      });
    }
    await this.#gate.remember(server);
    return this.#known.path;
  }
}
