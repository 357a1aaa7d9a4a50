/// <reference lib="dom" />
// Icons as lines on a grid of 24 units, in the color of the text around them.

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  rooms: "M4 6h16M4 12h16M4 18h10",
  people:
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20a6.5 6.5 0 0 1 13 0M16 4.3a3.5 3.5 0 0 1 0 6.4M18 14.2a6.5 6.5 0 0 1 3.5 5.8",
  send: "M12 19V5M6 11l6-6 6 6",
  attach:
    "M20 11.5 12.2 19a4.6 4.6 0 0 1-6.6-6.5l8-7.8a3.1 3.1 0 0 1 4.4 4.4l-7.9 7.7a1.5 1.5 0 0 1-2.2-2.1l7.2-7",
  bell: "M6 16V11a6 6 0 1 1 12 0v5l1.5 2h-15L6 16ZM10 21h4",
  muted: "M6 16V11a6 6 0 0 1 9-5.2M18 11v5l1.5 2H8M10 21h4M4 4l16 16",
  lock: "M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3",
  invite:
    "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7L12 7M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7L12 17",
  close: "M6 6l12 12M18 6 6 18",
  down: "M12 5v14M6 13l6 6 6-6",
  folder: "M3 6h6l2 2.5h10V19H3z",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  shield: "M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6z",
  eye:
    "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12ZM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
  alert: "M12 4 2.8 19.5h18.4ZM12 10v4.5M12 17v.2",
  plus: "M12 5v14M5 12h14",
} as const;

/** Name of an icon. */
export type IconName = keyof typeof PATHS;

/** An icon; a screen reader does not meet it. */
export function icon(name: IconName): SVGSVGElement {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("aria-hidden", "true");
  drawing.setAttribute("focusable", "false");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  drawing.append(path);
  return drawing;
}

/** A QR code from its modules, true is dark: dark on white in every theme, as cameras want it. */
export function qrCode(modules: readonly (readonly boolean[])[]): SVGSVGElement {
  const size = modules.length;
  const quiet = 1;
  const drawing = document.createElementNS(SVG, "svg");
  const span = size + 2 * quiet;
  drawing.setAttribute("viewBox", `${-quiet} ${-quiet} ${span} ${span}`);
  drawing.setAttribute("class", "qr");
  drawing.setAttribute("role", "img");
  drawing.setAttribute("aria-label", "QR code of the link");
  drawing.setAttribute("shape-rendering", "crispEdges");
  const path = document.createElementNS(SVG, "path");
  const squares = modules.flatMap((row, y) =>
    row.flatMap((isDark, x) => isDark ? [`M${x} ${y}h1v1h-1z`] : [])
  );
  path.setAttribute("d", squares.join(""));
  drawing.append(path);
  return drawing;
}
