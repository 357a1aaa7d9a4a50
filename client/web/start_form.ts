// What a chat in the page starts from.

/** The answers of the form before the chat. */
export interface StartForm {
  readonly name: string;
  readonly room: string;
  /** Where the server is: `wss://HOST:PORT` or `ws://HOST:PORT`. */
  readonly server: string;
  readonly token: string;
  /** Whether a link brought the room and the server, which the form shows and does not let be changed. */
  readonly invited: boolean;
  /** Whether the link leads to a sealed room. */
  readonly sealed: boolean;
  /** Whether the page came from the server itself, so that its address is known and no link is needed. */
  readonly served: boolean;
}
