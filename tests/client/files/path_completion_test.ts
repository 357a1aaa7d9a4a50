import assert from "node:assert/strict";
import { completePath } from "../../../client/files/path_completion.ts";
import { openTypedFiles } from "../../../client/uploads/disk_file.ts";
import { safeDownloadName } from "../../../shared/text/download_name.ts";
import { scratchFolder } from "../../helpers/peers/transfer_room.ts";

const NAMES = {
  latin: "für élan.txt",
  combining: "cafe\u0301.txt",
  persian: "می\u200cخواهم.txt",
  hindi: "क्\u200dष.txt",
  family: "👨\u200d👩\u200d👧.png",
};

Deno.test("Tab offers names with joiners, combining and Latin-1 letters, and what it offers can be sent and keeps its name", async () => {
  await using scratch = await scratchFolder();
  for (const name of Object.values(NAMES)) await Deno.writeTextFile(`${scratch.path}/${name}`, "x");
  await Deno.writeTextFile(`${scratch.path}/turned\u202egnp.exe`, "x");
  const offered = completePath(`${scratch.path}/`, undefined);
  assert.deepEqual(
    offered.length,
    Object.keys(NAMES).length,
    "what would turn a row around is not",
  );
  for (const path of offered) {
    const [file] = await openTypedFiles(path, { fileMax: 10 });
    file?.close();
    assert.equal(`${scratch.path}/${file?.name}`, path);
    assert.equal(safeDownloadName(file?.name ?? ""), file?.name.normalize("NFC"));
  }
  assert.deepEqual(completePath(`${scratch.path}/caf\u00e9`, undefined), [
    `${scratch.path}/${NAMES.combining}`,
  ]);
});
