// What tests use of the system: every program that they start, and every file that they read, with its Debian package.
// `.ci/run` installs what this module prints when it is run; skipWithout() skips a test where something is missing.
// It imports nothing, so that a machine with nothing but node and npm can run it.

/** What tests use of one package. */
interface Need {
  readonly programs: readonly string[];
  readonly files?: readonly string[];
  /** Part of every Debian system, and so never installed. */
  readonly essential?: true;
}

/** Debian packages with what tests use of them. */
export const SYSTEM_NEEDS = {
  bash: { programs: ["bash"], essential: true },
  "bash-completion": {
    programs: [],
    files: ["/usr/share/bash-completion/bash_completion"],
  },
  bsdutils: { programs: ["script"], essential: true },
  buildah: { programs: ["buildah"] },
  chromium: { programs: ["chromium"] },
  caddy: { programs: ["caddy"] },
  coreutils: {
    programs: ["chroot", "cp", "sha256sum", "stty", "true"],
    files: ["/bin/true"],
    essential: true,
  },
  curl: { programs: ["curl"] },
  dash: { programs: ["sh"], files: ["/bin/sh"], essential: true },
  dpkg: { programs: ["dpkg-deb", "dpkg-query"], essential: true },
  "firefox-esr": { programs: ["firefox-esr"] },
  fish: { programs: ["fish"] },
  git: { programs: ["git"] },
  haproxy: { programs: ["haproxy"] },
  iproute2: { programs: ["ip"] },
  jq: { programs: ["jq"] },
  "libc-bin": { programs: ["ldd"], essential: true },
  lintian: { programs: ["lintian"] },
  mandoc: { programs: ["mandoc"] },
  microsocks: { programs: ["microsocks"] },
  mosquitto: { programs: ["mosquitto"] },
  mount: { programs: ["mount", "umount"] },
  "nats-server": { programs: ["nats-server"] },
  nginx: { programs: ["nginx"] },
  ngircd: { programs: ["ngircd"] },
  openssl: { programs: ["openssl"] },
  "python3-cryptography": {
    programs: [],
    files: ["/usr/bin/python3", "/usr/lib/python3/dist-packages/cryptography/__init__.py"],
  },
  strace: { programs: ["strace"] },
  systemd: { programs: ["journalctl", "systemctl", "systemd-analyze"] },
  "systemd-container": { programs: ["systemd-nspawn"] },
  tinyproxy: { programs: ["tinyproxy"] },
  tmux: { programs: ["tmux"] },
  tor: { programs: ["tor"] },
  "util-linux": {
    programs: ["nsenter", "prlimit", "setpriv", "setsid", "unshare"],
    essential: true,
  },
  "webkit2gtk-driver": { programs: ["WebKitWebDriver"] },
  xvfb: { programs: ["Xvfb"] },
  zsh: { programs: ["zsh"] },
} as const satisfies Record<string, Need>;

type Needs = (typeof SYSTEM_NEEDS)[keyof typeof SYSTEM_NEEDS];

/** Name of a program that the table names. */
export type SystemProgram = Needs["programs"][number];

/** Path of a file that the table names. */
export type SystemFile = Extract<Needs, { readonly files: unknown }>["files"][number];

// Daemons stand where PATH of an ordinary user does not lead.
const DAEMONS = ["/usr/sbin", "/sbin"];

/** Path of a program in PATH or among the daemons; undefined where it is not installed. */
export function programPath(name: SystemProgram): string | undefined {
  const folders = (Deno.env.get("PATH") ?? "").split(":").filter(Boolean);
  return [...folders, ...DAEMONS].map((folder) => `${folder}/${name}`).find(isFile);
}

/** Whether a program is installed. */
export function hasProgram(name: SystemProgram): boolean {
  return programPath(name) !== undefined;
}

/** The reason to skip a test that uses these: the first that is missing; undefined where all are there. */
export function whyMissing(...needed: readonly (SystemProgram | SystemFile)[]): string | undefined {
  const missing = needed.find((name) => !isInstalled(name));
  return missing === undefined ? undefined : `${missing} is not installed`;
}

/** Packages that bring what is missing here, in order of their names. */
export function missingPackages(): string[] {
  const rows: readonly (readonly [string, Need])[] = Object.entries(SYSTEM_NEEDS);
  return rows
    .filter(([, { programs, files = [] }]) => ![...programs, ...files].every(isInstalled))
    .map(([name]) => name);
}

function isInstalled(need: string): boolean {
  return need.startsWith("/") ? isFile(need) : hasProgram(need as SystemProgram);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

// deno-lint-ignore no-console -- .ci/run reads it.
if (import.meta.main) console.log(missingPackages().join(" "));
