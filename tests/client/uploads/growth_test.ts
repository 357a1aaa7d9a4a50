import assert from "node:assert/strict";
import type { SourceFile } from "../../../client/transfer_base/source_file.ts";
import { DeliveryWindow } from "../../../client/transfer_base/delivery_window.ts";
import { chunkKey, ChunkSender } from "../../../client/uploads/chunk_sender.ts";
import { PushedUpload } from "../../../client/uploads/upload.ts";
import { FILE_CHUNK_BYTES } from "../../../shared/base/limits.ts";
import { isNothing, keptOfEach } from "../../helpers/hostile/endless.ts";

/** A file of which the test gives one chunk after another. */
class EndlessFile implements SourceFile {
  readonly name = "endless";
  readonly size = 1_000_000 * FILE_CHUNK_BYTES;
  readonly hash = new Uint8Array(32);
  #asked = Promise.withResolvers<(data: Uint8Array) => void>();

  chunk(): Promise<Uint8Array> {
    return new Promise((resolve) => this.#asked.resolve(resolve));
  }

  /** Gives the next chunk once it is asked for. */
  async give(): Promise<void> {
    const give = await this.#asked.promise;
    this.#asked = Promise.withResolvers();
    give(new Uint8Array(1));
  }

  close(): void {}
}

Deno.test("a sender keeps nothing of the chunks that are asked for while its connection stands", async () => {
  const file = new EndlessFile();
  const window = new DeliveryWindow({ now: () => performance.now(), most: 8 });
  const sender = new ChunkSender({
    file,
    id: "f",
    send: (part) => Promise.resolve(window.came(chunkKey(part))),
    window,
    onSent() {},
    onTaken() {},
    onFault: () => assert.fail("it can be read"),
  });
  sender.ask({ client: 1, index: 0, count: 1_000_000 });
  const kept = await keptOfEach(() => file.give());
  sender.close();
  assert.ok(isNothing(kept), `${kept} bytes a chunk`);
});

Deno.test("a sender keeps nothing of the chunks that it pushes", async () => {
  const file = new EndlessFile();
  const upload = new PushedUpload(file, () => Promise.resolve());
  upload.confirm();
  const outcome = upload.run(() => {});
  const kept = await keptOfEach(() => file.give());
  upload.stop({ code: "cancelled", reason: "cancelled" });
  // Where it waits for one more.
  void file.give();
  assert.ok("fault" in await outcome);
  assert.ok(isNothing(kept), `${kept} bytes a chunk`);
});
