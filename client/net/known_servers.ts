// `--known-servers FILE`: which server answered at which address before, the way SSH does it.
// One line a server: address, space, fingerprint. Lines that begin with # are left alone.

import { ConfigError } from "../../shared/base/errors.ts";
import { type Fingerprint, parseFingerprint } from "../../shared/crypto/fingerprint.ts";
import { IdentityError } from "../../shared/channel/handshake_error.ts";
import { quotePath } from "../files/file_access.ts";
import { isFileMissing, readTrustedFile } from "../files/trusted_file.ts";

const FILE_MAX_BYTES = 1_048_576;

/** Servers by address, in a file. */
export class KnownServers {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * "known" where `address` had this fingerprint before, "new" where it is remembered from now on. Throws
   * IdentityError where it had another, ConfigError where the file cannot be used.
   */
  async check(address: string, fingerprint: Fingerprint): Promise<"known" | "new"> {
    const text = await this.#read();
    const before = this.#find(text, address);
    if (before === fingerprint) return "known";
    if (before !== undefined) {
      throw new IdentityError(
        `Cannot trust ${address}: its fingerprint is ${fingerprint}, but it was ${before}`,
        {
          hint:
            `someone may stand in between. If its operator confirms the change, remove its line in ${
              quotePath(this.#path)
            }`,
        },
      );
    }
    await this.#append(text, `${address} ${fingerprint}`);
    return "new";
  }

  /** The fingerprint that is remembered for `address`; nothing is written. Throws ConfigError. */
  async find(address: string): Promise<Fingerprint | undefined> {
    return this.#find(await this.#read(), address);
  }

  #find(text: string, address: string): Fingerprint | undefined {
    for (const [index, line] of text.split("\n").entries()) {
      if (line.trim() === "" || line.startsWith("#")) continue;
      const [known, fingerprint, ...more] = line.trim().split(/\s+/);
      if (fingerprint === undefined || more.length > 0) throw this.#unreadable(index + 1);
      if (known !== address) continue;
      try {
        return parseFingerprint(fingerprint);
      } catch (cause) {
        throw this.#unreadable(index + 1, cause);
      }
    }
    return undefined;
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
      await Deno.writeTextFile(this.#path, `${gap}${line}\n`, { append: true, mode: 0o600 });
    } catch (cause) {
      throw new ConfigError(
        `Cannot remember the server in ${quotePath(this.#path)}: the system refused`,
        { cause },
      );
    }
  }
}
