// Loads all of a sealed room and makes one, for a test that watches what that start asks for. With `--stay` it lives until
// its input ends.

import { SealedGroup } from "../../../client/mls/group.ts";
import { identityFor } from "../peers/sealed_group.ts";

await SealedGroup.create(identityFor("alice"), 0);
if (Deno.args.includes("--stay")) { for await (const _ of Deno.stdin.readable); }
