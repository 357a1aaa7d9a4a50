// Errors by whose fault they are. Programs print `error: <message>` and, where there is one, `hint: <hint>`.

/** What an error of these programs carries besides its message. */
export interface CmdchatErrorOptions extends ErrorOptions {
  /** One line that tells the reader what to do next. */
  readonly hint?: string;
}

/** Base of all errors that a program prints without a stack trace. */
export abstract class CmdchatError extends Error {
  /** Process exit code when nobody handles the error; listed in docs/CLIENT.md. */
  abstract readonly exitCode: number;
  readonly hint: string | undefined;

  constructor(message: string, options: CmdchatErrorOptions = {}) {
    super(message, options);
    this.name = new.target.name;
    this.hint = options.hint;
  }
}

/** The user asked for something that cannot be: an unknown command, a bad option. Exit code 2. */
export class UsageError extends CmdchatError {
  readonly exitCode = 2;
}

/** The admin's set-up is wrong: a certificate, a port, a file. Exit code 3. */
export class ConfigError extends CmdchatError {
  readonly exitCode = 3;
}

/** The connection failed or was lost; with its cause where one is known. Exit code 4. */
export class ConnectionError extends CmdchatError {
  readonly exitCode = 4;
}

/** The peer broke the wire format; the connection is closed. Exit code 5. */
export class ProtocolError extends CmdchatError {
  readonly exitCode = 5;
}

/** Something is larger, longer or more than allowed; the message names both numbers. Exit code 6. */
export class LimitError extends CmdchatError {
  readonly exitCode = 6;
}

/** A key, tag, signature or token does not fit. One vague text, because details would help an attacker. Exit code 7. */
export class CryptoError extends CmdchatError {
  readonly exitCode = 7;
}

/** Something did not happen within the time that the user gave. Exit code 8. */
export class TimeoutError extends CmdchatError {
  readonly exitCode = 8;
}
