/// <reference lib="dom" />
// The address of the page's own script, for its worker: the page is one file, so the script is both.

/** What Trusted Types give; browsers without them take a plain string. */
interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { readonly createScriptURL: (url: string) => string },
  ): { createScriptURL(url: string): string };
}

// The one policy that the page's Content-Security-Policy names.
const POLICY = "cmdchat";

/** Makes an address for workers from the text of a script. Only this one address passes Trusted Types. */
export function workerUrl(script: string): string {
  const own = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const { trustedTypes } = globalThis as { readonly trustedTypes?: TrustedTypes };
  const policy = trustedTypes?.createPolicy(POLICY, {
    createScriptURL: (url) => {
      if (url === own) return url;
      throw new TypeError("only the page's own script may be a worker");
    },
  });
  return policy?.createScriptURL(own) ?? own;
}
