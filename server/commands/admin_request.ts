// HTTP requests to the admin pages of a running server.

import { type IncomingMessage, request as openRequest, type RequestOptions } from "node:http";
import { concatBytes } from "../../shared/base/bytes.ts";
import { ConnectionError } from "../../shared/base/errors.ts";
import { addressText, type AdminAddress } from "../config/admin_address.ts";

/** An HTTP answer of the admin pages. */
export interface AdminPageAnswer {
  readonly status: number;
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** One request to the admin pages. */
export interface AdminPageRequest {
  readonly address: AdminAddress;
  /** The admin token; undefined = the request carries none. */
  readonly token?: string | undefined;
  readonly path: string;
  readonly method: string;
  /** Time to answer in ms. */
  readonly ms: number;
  readonly json?: unknown;
  readonly bytes?: Uint8Array<ArrayBuffer>;
}

/** Sends a request to the admin pages. Throws ConnectionError when no answer comes; its cause tells why. */
export async function request(
  { address, token, path, method, ms, json, bytes }: AdminPageRequest,
): Promise<AdminPageAnswer> {
  const options = {
    ...placeOf(address),
    path,
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(json === undefined ? {} : { "content-type": "application/json" }),
    },
    signal: AbortSignal.timeout(ms),
  };
  try {
    return await exchange(options, bytes ?? (json === undefined ? "" : JSON.stringify(json)));
  } catch (cause) {
    const what = isLate(cause) ? `no answer within ${ms / 1_000} s` : faultOf(cause);
    throw new ConnectionError(`Cannot reach the server at ${addressText(address)}: ${what}`, {
      cause,
    });
  }
}

// Not fetch(): with HTTP_PROXY set it sends the admin token to the proxy, even for this machine.
async function exchange(
  options: RequestOptions,
  body: string | Uint8Array,
): Promise<AdminPageAnswer> {
  const answer = Promise.withResolvers<IncomingMessage>();
  const asked = openRequest(options, answer.resolve);
  asked.on("error", answer.reject);
  asked.end(body);
  const response = await answer.promise;
  const chunks: Uint8Array[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const { statusCode = 0, headers } = response;
  return { status: statusCode, headers, body: concatBytes(chunks) };
}

/**
 * Sends a request that is not to be answered for as long as both sides are there; it ends with this process, or with
 * the returned function.
 */
export function holdRequest(
  { address, path, bytes }: Pick<AdminPageRequest, "address" | "path" | "bytes">,
): () => void {
  const asked = openRequest({ ...placeOf(address), path, method: "POST" }, (answer) => {
    answer.resume();
  });
  // Where it cannot be held, the other side waits for as long as it would without.
  asked.on("error", () => {});
  asked.end(bytes);
  return () => asked.destroy();
}

/** Whether a request failed because its time was over. */
export function isLate(error: unknown): boolean {
  // node:http wraps the reason of the signal.
  return error instanceof Error &&
    (error.name === "TimeoutError" || error.name === "AbortError" || isLate(error.cause));
}

/** Whether a request failed because nothing listens at the address. */
export function isRefused(error: unknown): boolean {
  return error instanceof Error &&
    ("code" in error && error.code === "ECONNREFUSED" || isRefused(error.cause));
}

function faultOf(cause: unknown): string {
  return isRefused(cause) ? "no server listens there" : "the connection failed";
}

function placeOf(address: AdminAddress): { readonly host: string; readonly port: number } {
  const { hostname: host, port } = reachable(address);
  return { host, port };
}

// A server that listens on all addresses is reached on this machine's own.
function reachable(address: AdminAddress): AdminAddress {
  const { hostname, port } = address;
  if (hostname === "0.0.0.0") return { hostname: "127.0.0.1", port };
  return hostname === "::" ? { hostname: "::1", port } : address;
}
