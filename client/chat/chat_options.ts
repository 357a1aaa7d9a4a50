// What a chat is made of.

import type { Fingerprint } from "../../shared/crypto/fingerprint.ts";
import type { Clock } from "../base/clock.ts";
import type { Output } from "../output/output.ts";
import type { Backoff } from "../session/reconnect.ts";
import type { AlarmManner } from "../sealed/alarm.ts";
import type { OwnPeople } from "../people/own_people.ts";
import type { openSealedEngine } from "../sealed_engine/engine.ts";
import type { Destination, Session, SessionDestination } from "../session/session.ts";
import type { ChatConsole } from "../console/console.ts";
import type { OpenElsewhere } from "./session_move.ts";
import type { Style } from "../terminal/style.ts";
import type { Transfers } from "../transfers/transfers.ts";
import type { TransferHost } from "../transfer_base/transfer_host.ts";

/** Where a server is, as links name it. */
export interface ChatAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** Whether the stream is carried by WebSocket. */
  readonly webSocket?: boolean;
  /** Whether the server has a page for browsers, so that links can lead there. */
  readonly hasPage?: boolean;
  readonly token: string | undefined;
}

/** What a chat is made of. */
export interface ChatOptions {
  readonly place: Destination;
  /** The secret of the link where the place is a sealed room. */
  readonly secret?: Uint8Array | undefined;
  /** Makes the part of a sealed room that seals; a worker unless told. */
  readonly openEngine?: typeof openSealedEngine;
  /** What an alarm about somebody's key does; "hold" unless told. */
  readonly alarms?: AlarmManner;
  /** The user's device key, and the people they know by theirs. */
  readonly people?: OwnPeople | undefined;
  /** Connects and does the handshake. */
  readonly dial: (destination: SessionDestination, signal: AbortSignal) => Promise<Session>;
  /** Goes on at another server that the present one names; absent where there is no way to it. */
  readonly move?: OpenElsewhere | undefined;
  readonly console: ChatConsole;
  readonly output: Output;
  readonly style: Style;
  readonly clock: Clock;
  /** Makes the transfers once, over what the chat gives them. */
  readonly transfers: (
    parts: Pick<
      TransferHost,
      | "send"
      | "checkName"
      | "survives"
      | "others"
      | "notify"
      | "now"
      | "ownId"
      | "ownName"
      | "roomTitle"
    >,
  ) => Transfers;
  /** Where the server is, for invite links, and the token that it took. */
  readonly address: ChatAddress;
  /** Whether no status line shows that the server is silent, so that a line has to. */
  readonly tellsSilence?: boolean;
  /** `--quiet-reconnect`: outages show in the status line only. */
  readonly quiet: boolean;
  readonly backoff?: Backoff;
  /** Whether the server of the session is the one that the user means; it is unless told. */
  readonly isProven?: (() => boolean) | undefined;
  /** Whether its fingerprint was compared with one that is known; it was unless told. */
  readonly isCompared?: (() => boolean) | undefined;
  /** Whether the session is over TLS with a certificate that nobody verified; it is not unless told. */
  readonly isUnverified?: (() => boolean) | undefined;
  /** Goes on with a server that has another key now; absent where nobody can be asked: there it ends the chat. */
  readonly trust?: ((server: Fingerprint) => Promise<void>) | undefined;
  /** Remembers a server for other calls; gives the file. Absent where nobody can be asked. */
  readonly remember?: ((server: Fingerprint) => Promise<string>) | undefined;
}
