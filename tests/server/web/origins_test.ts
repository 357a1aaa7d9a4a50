import assert from "node:assert/strict";
import { Origins } from "../../../server/web/origins.ts";
import { WebRefusal } from "../../../server/web/web_refusal.ts";
import { ConfigError } from "../../../shared/base/errors.ts";

const OPEN = { hasTokens: () => false };
const TOKENS = { hasTokens: () => true };
const HOST = "chat.example.org";

function allows(origins: Origins, origin: string | undefined, host: string | undefined): boolean {
  try {
    origins.check({ origin, host });
    return true;
  } catch (error) {
    if (error instanceof WebRefusal) return false;
    throw error;
  }
}

Deno.test("an origin must be one that is named, exactly, and Host one of their hosts", () => {
  const origins = new Origins([`https://${HOST}`, "http://localhost:5050"], OPEN);
  const table: [string | undefined, string | undefined, boolean][] = [
    [undefined, HOST, true],
    [undefined, "anything.example", true],
    [`https://${HOST}`, HOST, true],
    [`https://${HOST}`, `${HOST}:443`, true],
    [`https://${HOST}`, "CHAT.example.org", true],
    [`https://${HOST}`, "localhost:5050", true],
    ["http://localhost:5050", "localhost:5050", true],
    [`https://${HOST}`, `${HOST}:8443`, false],
    [`https://${HOST}`, "evil.example", false],
    [`https://${HOST}`, undefined, false],
    [`http://${HOST}`, HOST, false],
    [`https://${HOST}:8443`, HOST, false],
    [`https://${HOST}.evil.example`, HOST, false],
    [`https://evil.example`, HOST, false],
    [`https://CHAT.example.org`, HOST, false],
    ["null", HOST, false],
    ["", HOST, false],
    ["file://", HOST, false],
  ];
  for (const [origin, host, expected] of table) {
    assert.equal(allows(origins, origin, host), expected, `${origin} at ${host}`);
  }
});

Deno.test("without --web no page may connect, and a terminal client may", () => {
  const origins = new Origins([], TOKENS);
  assert.ok(allows(origins, undefined, HOST));
  for (const origin of [`https://${HOST}`, "null"]) assert.ok(!allows(origins, origin, HOST));
});

Deno.test("the origin null needs its name, a host beside it, and tokens as long as the server runs", () => {
  const names = [`https://${HOST}`, "null"];
  assert.throws(() => new Origins(names, OPEN), ConfigError);
  assert.throws(() => new Origins(["null"], TOKENS), ConfigError);
  let hasTokens = true;
  const origins = new Origins(names, { hasTokens: () => hasTokens });
  assert.ok(allows(origins, "null", HOST));
  assert.ok(!allows(origins, "null", "evil.example"));
  hasTokens = false;
  assert.ok(!allows(origins, "null", HOST));
});

Deno.test("what is no origin as browsers send it is refused at start", () => {
  const bad = [
    "chat.example.org",
    "https://chat.example.org/",
    "https://chat.example.org:443",
    "HTTPS://chat.example.org",
    "ws://chat.example.org",
    "*",
    "https://*.example.org",
    "",
  ];
  for (const text of bad) assert.throws(() => new Origins([text], OPEN), ConfigError, text);
});
