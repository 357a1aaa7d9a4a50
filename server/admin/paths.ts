// Paths and limits that the admin pages and their clients share.

/** The route of `cmdchat-server admin`. */
export const ADMIN_PATH = "/admin";

/** Most bytes of a command: the longest notice, escaped. */
export const ADMIN_REQUEST_MAX_BYTES = 4_096;

/** The route over which the next process takes over. */
export const HAND_OVER_PATH = "/hand-over";

/** The route over which it tells that it serves. */
export const HAND_OVER_FINISH_PATH = "/hand-over/finish";
