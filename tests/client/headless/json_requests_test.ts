import assert from "node:assert/strict";
import { idOf, parseRequest } from "../../../client/headless/json_requests.ts";
import { UsageError } from "../../../shared/base/errors.ts";

Deno.test("each request is the line that a person would type, and keeps its id", () => {
  const cases: readonly (readonly [unknown, string])[] = [
    [{ say: "hello" }, "hello"],
    [{ say: "/nick is what I said\nand more" }, "//nick is what I said\nand more"],
    [{ nick: "bob" }, "/nick bob"],
    [{ join: "den" }, "/join den"],
    [{ send: "a b.txt" }, "/send a b.txt"],
    [{ accept: 1 }, "/accept 1"],
    [{ reject: 2 }, "/reject 2"],
    [{ cancel: 3 }, "/cancel 3"],
    [{ quit: true }, "/quit"],
    [{ command: "/names" }, "/names"],
  ];
  for (const [request, line] of cases) {
    assert.equal(parseRequest(JSON.stringify(request)).line, line);
  }
  assert.equal(parseRequest('{"id":"a1","say":"x"}').id, "a1");
  assert.equal(parseRequest('{"say":"x","id":7}').id, 7);
  for (const what of ['"say":"x"', '"send":"x"', '"command":"/names"']) {
    assert.equal(parseRequest(`{"room":"ops",${what}}`).room, "ops");
    assert.equal(parseRequest(`{${what}}`).room, undefined);
  }
});

Deno.test("what is no request is refused in words that help", () => {
  const cases: readonly (readonly [string, RegExp, RegExp?])[] = [
    ["hello", /it is not JSON/, /\{"say":"hello"\}/],
    ['"hello"', /it must be a JSON object/],
    ["[]", /it must be a JSON object/],
    ["null", /it must be a JSON object/],
    ["{}", /one of say, nick/],
    ['{"say":"a","nick":"b"}', /one of say, nick/],
    ['{"sya":"a"}', /Cannot use "sya"/, /did you mean say\?/],
    ['{"__proto__":"a"}', /Cannot use|one of say/],
    ['{"say":1}', /Cannot use "say"/],
    ['{"say":""}', /Cannot use "say"/],
    ['{"accept":0}', /Cannot use "accept"/],
    ['{"accept":"1"}', /Cannot use "accept"/],
    ['{"quit":false}', /Cannot use "quit"/],
    ['{"nick":"a\\n/quit"}', /it must be one line/],
    ['{"command":"hello"}', /a slash and a command/],
    ['{"command":"//hello"}', /a slash and a command/],
    ['{"say":"x","id":{}}', /the id/],
    ['{"say":"x","room":2}', /Cannot use "room": it must be the name of one of your rooms/],
    ['{"say":"x","room":""}', /Cannot use "room"/],
    ['{"nick":"x","room":"ops"}', /Cannot use "room" with "nick"/],
    ['{"room":"ops"}', /one of say, nick/],
  ];
  for (const [text, message, hint] of cases) {
    assert.throws(() => parseRequest(text), (error: unknown) => {
      assert.ok(error instanceof UsageError, text);
      assert.match(error.message, message);
      if (hint !== undefined) assert.match(error.hint ?? "", hint);
      return true;
    });
  }
});

Deno.test("idOf() finds the id of a line that was not understood, where it has one that fits", () => {
  assert.equal(idOf('{"id":3,"sya":1}'), 3);
  assert.equal(idOf('{"id":{},"say":"x"}'), undefined);
  assert.equal(idOf("null"), undefined);
  assert.equal(idOf("nonsense"), undefined);
});
