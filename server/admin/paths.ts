// Paths and bounds that the admin server and its clients share.

/** Where `cmdchat-server admin` asks. */
export const ADMIN_PATH = "/admin";

/** Bytes of a question: a notice of the longest kind, escaped. */
export const ADMIN_REQUEST_MAX_BYTES = 4_096;

/** The page that the next process asks. */
export const HAND_OVER_PATH = "/hand-over";
