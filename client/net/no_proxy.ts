// NO_PROXY, by curl's rules: names with all below them, addresses, networks, or * for everything.

import { BlockList, isIP } from "node:net";

/** Whether a host is reached without a proxy; `list` as the variable has it. */
export function isExempt(host: string, list: string): boolean {
  const entries = list.split(/[\s,]+/).filter((entry) => entry !== "");
  if (list.trim() === "*") return true;
  const name = normalize(host);
  const family = isIP(name);
  return entries.some((entry) =>
    family === 0 ? matchesName(name, normalize(entry)) : matchesAddress(name, entry)
  );
}

/** Whether a host is this machine: no proxy has a way to it. */
export function isLoopback(host: string): boolean {
  const name = normalize(host);
  return name === "localhost" || name.endsWith(".localhost") || name === "::1" ||
    (isIP(name) === 4 && name.startsWith("127."));
}

function normalize(text: string): string {
  return text.toLowerCase().replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
}

function matchesName(name: string, entry: string): boolean {
  const domain = entry.replace(/^\./, "");
  return domain !== "" && (name === domain || name.endsWith(`.${domain}`));
}

function matchesAddress(address: string, entry: string): boolean {
  const [start = "", bits] = normalize(entry).split("/");
  const family = isIP(start);
  if (family === 0 || isIP(address) !== family) return false;
  const most = family === 4 ? 32 : 128;
  const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : NaN;
  if (!(prefix >= 0 && prefix <= most)) return false;
  const network = new BlockList();
  const kind = family === 4 ? "ipv4" : "ipv6";
  network.addSubnet(start, prefix, kind);
  return network.check(address, kind);
}
