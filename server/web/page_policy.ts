// What the page may do in a browser, told by headers and, for a saved page, by the page itself.

import { createHash } from "node:crypto";

/** Inline parts of the page, which the policy names by their hashes. */
export interface PageParts {
  readonly script: string;
  readonly style: string;
}

/** Where the page may connect to: only to its own server, or to any where it was opened as a file. */
export type PageReach = "'self'" | "ws: wss:";

/** The one Trusted Types policy that the page may make: it gives the page's own script to its worker. */
export const TRUSTED_TYPES_POLICY = "cmdchat";

// Permissions that a page could ask for, and this one never does.
const NEVER_ASKED = [
  "accelerometer",
  "autoplay",
  "browsing-topics",
  "camera",
  "clipboard-read",
  "display-capture",
  "encrypted-media",
  "fullscreen",
  "geolocation",
  "gyroscope",
  "hid",
  "identity-credentials-get",
  "idle-detection",
  "local-fonts",
  "magnetometer",
  "microphone",
  "midi",
  "otp-credentials",
  "payment",
  "picture-in-picture",
  "publickey-credentials-create",
  "publickey-credentials-get",
  "screen-wake-lock",
  "serial",
  "storage-access",
  "sync-xhr",
  "usb",
  "window-management",
  "xr-spatial-tracking",
];

/** The content security policy for headers and `<meta>`; what `<meta>` cannot express is in `pageFields`. */
export function pagePolicy({ script, style }: PageParts, reach: PageReach): string {
  return [
    "default-src 'none'",
    `script-src ${hashSource(script)}`,
    `style-src ${hashSource(style)}`,
    "worker-src blob:",
    `connect-src ${reach}`,
    // Firefox shows no icon without it.
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    `trusted-types ${TRUSTED_TYPES_POLICY}`,
  ].join("; ");
}

/** The fields of every answer that holds the page, each with its value. */
export function pageFields(parts: PageParts): readonly (readonly [string, string])[] {
  return [
    ["Content-Security-Policy", `${pagePolicy(parts, "'self'")}; frame-ancestors 'none'`],
    ["Cross-Origin-Opener-Policy", "same-origin"],
    ["Cross-Origin-Embedder-Policy", "require-corp"],
    ["Cross-Origin-Resource-Policy", "same-origin"],
    ["Referrer-Policy", "no-referrer"],
    ["X-Content-Type-Options", "nosniff"],
    ["Cache-Control", "no-store"],
    ["Permissions-Policy", NEVER_ASKED.map((feature) => `${feature}=()`).join(", ")],
  ];
}

function hashSource(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
