// Paths and bounds that the admin server and its clients share.

/** Where `cmdchat-server admin` asks. */
export const OPERATOR_PAGE = "/admin";

/** Bytes of a question: a notice of the longest kind, escaped. */
export const QUESTION_MAX_BYTES = 4_096;

/** The page that the next process asks. */
export const HAND_OVER_PAGE = "/hand-over";
