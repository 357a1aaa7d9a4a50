// `--known-servers FILE`: which server answered at which address before, the way SSH does it.
// One line a server: address, space, fingerprint; the last line of an address counts. Lines that begin with # are
// comments.

import { dirname } from "node:path";
import { ConfigError } from "../../shared/base/errors.ts";
import { type Fingerprint, parseFingerprint } from "../../shared/crypto/fingerprint.ts";
import { quotePath } from "../files/file_access.ts";
import { isFileMissing, readTrustedFile } from "../files/trusted_file.ts";

const FILE_MAX_BYTES = 1_048_576;

/** Servers by address, in a file. */
export class KnownServers {
  readonly #path: string;
  readonly #makesFolder: boolean;

  /** `makesFolder`: whether the folder is made where it is missing, as for the file beside the settings. */
  constructor(path: string, { makesFolder = false }: { readonly makesFolder?: boolean } = {}) {
    this.#path = path;
    this.#makesFolder = makesFolder;
  }

  /** The file. */
  get path(): string {
    return this.#path;
  }

  /** Remembers the fingerprint of `address` from now on. Throws ConfigError. */
  async remember(address: string, fingerprint: Fingerprint): Promise<void> {
    await this.#append(await this.#read(), `${address} ${fingerprint}`);
  }

  /** The fingerprint that is remembered for `address`; nothing is written. Throws ConfigError. */
  async find(address: string): Promise<Fingerprint | undefined> {
    return this.#find(await this.#read(), address);
  }

  #find(text: string, address: string): Fingerprint | undefined {
    let found: Fingerprint | undefined;
    for (const [index, line] of text.split("\n").entries()) {
      if (line.trim() === "" || line.startsWith("#")) continue;
      const [known, fingerprint, ...more] = line.trim().split(/\s+/);
      if (fingerprint === undefined || more.length > 0) throw this.#unreadable(index + 1);
      if (known !== address) continue;
      try {
        found = parseFingerprint(fingerprint);
      } catch (cause) {
        throw this.#unreadable(index + 1, cause);
      }
    }
    return found;
  }

  #unreadable(line: number, cause?: unknown): ConfigError {
    return new ConfigError(
      `Cannot use the known servers in ${
        quotePath(this.#path)
      }: line ${line} must be an address and a fingerprint`,
      { cause },
    );
  }

  async #read(): Promise<string> {
    const trouble = `Cannot read the known servers in ${quotePath(this.#path)}`;
    const read = { path: this.#path, trouble, max: FILE_MAX_BYTES, isSecret: false };
    try {
      return new TextDecoder().decode((await readTrustedFile(read)).bytes);
    } catch (error) {
      if (isFileMissing(error)) return "";
      throw error;
    }
  }

  async #append(text: string, line: string): Promise<void> {
    const gap = text === "" || text.endsWith("\n") ? "" : "\n";
    try {
      // Only its owner may change what it says.
      if (this.#makesFolder) {
        await Deno.mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
      }
      await Deno.writeTextFile(this.#path, `${gap}${line}\n`, { append: true, mode: 0o600 });
    } catch (cause) {
      throw new ConfigError(
        `Cannot remember the server in ${quotePath(this.#path)}: the system refused`,
        { cause },
      );
    }
  }
}
