// Counts of bytes as people read them.

/** `2 GiB`, `10 MiB`, `4 KiB`, `512 bytes`: a size as people read it. */
export function formatBytes(count: number): string {
  if (count >= 1_073_741_824) return `${trimmed(count / 1_073_741_824)} GiB`;
  if (count >= 1_048_576) return `${trimmed(count / 1_048_576)} MiB`;
  if (count >= 1_024) return `${trimmed(count / 1_024)} KiB`;
  return count === 1 ? "1 byte" : `${count} bytes`;
}

function trimmed(value: number): string {
  return value.toFixed(1).replace(/\.0$/, "");
}
