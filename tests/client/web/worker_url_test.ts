import assert from "node:assert/strict";
import { workerUrl } from "../../../client/web/worker_url.ts";

Deno.test("the address of the page's script is the only one that passes Trusted Types", async () => {
  const scope = globalThis as { trustedTypes?: unknown };
  const policies: { name: string; createScriptURL: (url: string) => string }[] = [];
  scope.trustedTypes = {
    createPolicy(name: string, rules: { createScriptURL: (url: string) => string }) {
      policies.push({ name, ...rules });
      return rules;
    },
  };
  try {
    const url = workerUrl("1 + 1");
    assert.equal(await (await fetch(url)).text(), "1 + 1");
    const [policy] = policies;
    assert.equal(policy?.name, "cmdchat");
    assert.equal(policy?.createScriptURL(url), url);
    for (const other of ["blob:null/x", "data:text/javascript,1", "", `${url}#`]) {
      assert.throws(() => policy?.createScriptURL(other), TypeError, other);
    }
  } finally {
    delete scope.trustedTypes;
  }
  assert.match(workerUrl("2"), /^blob:/);
});
