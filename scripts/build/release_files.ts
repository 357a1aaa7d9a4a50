// Writes what goes with the executables of a release: SHA256SUMS, a bill of materials, a Homebrew formula.
//   deno run --allow-read --allow-write=dist scripts/build/release_files.ts dist/release https://…/v0.1.0

import { createHash } from "node:crypto";
import { VERSION } from "../../shared/base/version.ts";

/** The parts of deno.lock that a bill of materials needs. */
export interface Lock {
  readonly npm: Readonly<Record<string, { readonly integrity?: string }>>;
}

/** Lines of SHA256SUMS, as `sha256sum -c` reads them. */
export function checksums(files: ReadonlyMap<string, Uint8Array>): string {
  return [...files].map(([name, bytes]) =>
    `${createHash("sha256").update(bytes).digest("hex")}  ${name}\n`
  ).sort().join("");
}

/** A bill of materials (CycloneDX 1.5): each package of the lock file with its version and hash. */
export function billOfMaterials(lock: Lock): string {
  const components = Object.entries(lock.npm).map(([key, { integrity }]) => {
    // Behind an underscore stand the peers that a version was resolved with.
    const [, name = key, version = ""] = /^(@?[^@]+)@([^_]+)/.exec(key) ?? [];
    const [algorithm, digest] = integrity?.split("-", 2) ?? [];
    return {
      type: "library",
      name,
      version,
      purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
      ...(algorithm === "sha512" && digest !== undefined
        ? { hashes: [{ alg: "SHA-512", content: hexOf(digest) }] }
        : {}),
    };
  });
  const own = { type: "application", name: "cmdchat", version: VERSION };
  const bill = {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: { component: own },
    components,
  };
  return `${JSON.stringify(bill, null, 2)}\n`;
}

function hexOf(base64: string): string {
  return Array.from(atob(base64), (c) => c.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}

/** A Homebrew formula for the files at `address`, with their checksums. */
export function formula(sums: string, address: string): string {
  const sumOf = (file: string) => {
    const line = sums.split("\n").find((text) => text.endsWith(`  ${file}`));
    if (line === undefined) throw new Error(`Cannot write the formula: no checksum of ${file}`);
    return line.slice(0, 64);
  };
  const resource = (program: string, target: string) =>
    `      url "${address}/${program}-${target}"
      sha256 "${sumOf(`${program}-${target}`)}"`;
  const platform = (system: string, rows: readonly (readonly [string, string])[]) =>
    `  on_${system} do\n${
      rows.map(([cpu, target]) =>
        `    on_${cpu} do
${resource("cmdchat-client", target)}
      resource "server" do
  ${resource("cmdchat-server", target).replaceAll("\n", "\n  ")}
      end
    end`
      ).join("\n")
    }\n  end`;
  return `class Cmdchat < Formula
  desc "Encrypted console chat that lives in memory only"
  homepage "${new URL("/", address)}"
  version "${VERSION}"
  license "MIT"

${platform("macos", [["arm", "aarch64-apple-darwin"], ["intel", "x86_64-apple-darwin"]])}

${platform("linux", [["arm", "aarch64-unknown-linux-gnu"], ["intel", "x86_64-unknown-linux-gnu"]])}

  def install
    bin.install Dir["cmdchat-client*"].first => "cmdchat-client"
    resource("server").stage { bin.install Dir["cmdchat-server*"].first => "cmdchat-server" }
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/cmdchat-client --version")
    assert_match version.to_s, shell_output("#{bin}/cmdchat-server --version")
  end
end
`;
}

async function main([folder, address]: readonly string[]): Promise<void> {
  if (folder === undefined || address === undefined) {
    throw new Error("usage: release_files.ts FOLDER URL");
  }
  const files = new Map<string, Uint8Array>();
  const lock = await Deno.readTextFile(new URL("../../deno.lock", import.meta.url));
  await Deno.writeTextFile(`${folder}/cmdchat.cdx.json`, billOfMaterials(JSON.parse(lock)));
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (isFile && !["SHA256SUMS", "cmdchat.rb"].includes(name)) {
      files.set(name, await Deno.readFile(`${folder}/${name}`));
    }
  }
  const sums = checksums(files);
  await Deno.writeTextFile(`${folder}/SHA256SUMS`, sums);
  await Deno.writeTextFile(`${folder}/cmdchat.rb`, formula(sums, address.replace(/\/$/, "")));
}

if (import.meta.main) await main(Deno.args);
