// Paths and limits that the admin pages and their clients share.

/** The route of `cmdchat-server admin`. */
export const ADMIN_PATH = "/admin";

/** Most bytes of a command: the longest notice, escaped. */
export const ADMIN_REQUEST_MAX_BYTES = 4_096;

/** The route over which the next process takes over. */
export const HAND_OVER_PATH = "/hand-over";

/** The route over which it shows that it is there: the request is open until it has finished. */
export const HAND_OVER_HOLD_PATH = "/hand-over/hold";

/** Fields beside a challenge; see HandOverNotice. */
export const HAND_OVER_FORMAT_FIELD = "x-cmdchat-format";
export const HAND_OVER_PORT_FIELD = "x-cmdchat-port";

/** The route over which it tells that it serves. */
export const HAND_OVER_FINISH_PATH = "/hand-over/finish";
