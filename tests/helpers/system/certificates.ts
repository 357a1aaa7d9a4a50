// Certificates for tests, made with the very line that OPERATIONS.md gives to operators, so that it stays true.

import { blocksBelow } from "../repo/document_blocks.ts";

/** PEM files of one certificate, their texts, and an end to them. */
export interface TestCertificate extends AsyncDisposable {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

/** The command line in OPERATIONS.md that makes a certificate. */
export async function documentedCertificateLine(): Promise<string> {
  const [line] = await blocksBelow("docs/OPERATIONS.md", "### A certificate of your own", "sh");
  if (line === undefined) throw new Error("OPERATIONS.md has no command for a certificate");
  return line.trim();
}

/** Runs a command line in a fresh folder, where it makes cert.pem and key.pem. */
export async function makeCertificate(line?: string): Promise<TestCertificate> {
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-cert-" });
  const { success, stderr } = await new Deno.Command("sh", {
    args: ["-c", line ?? await documentedCertificateLine()],
    cwd: folder,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`openssl failed: ${new TextDecoder().decode(stderr)}`);
  const certFile = `${folder}/cert.pem`;
  const keyFile = `${folder}/key.pem`;
  return {
    certFile,
    keyFile,
    cert: await Deno.readTextFile(certFile),
    key: await Deno.readTextFile(keyFile),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
