import assert from "node:assert/strict";
import { hostAndPort } from "../../../shared/text/host_and_port.ts";

Deno.test("an IPv6 address stands in brackets before its port, once", () => {
  assert.equal(hostAndPort("chat.example.org", 5050), "chat.example.org:5050");
  assert.equal(hostAndPort("192.0.2.1", 1), "192.0.2.1:1");
  assert.equal(hostAndPort("::1", 5051), "[::1]:5051");
  assert.equal(hostAndPort("[2001:db8::1]", 5051), "[2001:db8::1]:5051");
});
