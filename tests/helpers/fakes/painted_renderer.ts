// A renderer whose lines are painted at once, as a terminal gets them.

import { paint, type PaintOptions } from "../../../client/render/paint.ts";
import type { RenderedLine, SpanRow } from "../../../client/render/shown.ts";
import type { Renderer } from "../../../client/render/text.ts";
import { Style } from "../../../client/terminal/style.ts";

type Painted<Method> = Method extends (...given: infer Given) => infer Result
  ? (...given: Given) => Result extends RenderedLine | SpanRow ? string : string | undefined
  : Method;

/** The methods of a renderer, with text in place of rows. */
export type PaintedRenderer = { [Name in keyof Renderer]: Painted<Renderer[Name]> };

/** Paints what `renderer` gives; without colors unless `options` says otherwise. */
export function painted(
  renderer: Renderer,
  { style = new Style("none"), ...options }: Partial<PaintOptions> = {},
): PaintedRenderer {
  const text = (shown: RenderedLine) => paint(shown, { style, ...options });
  const { day, roomSwitch, rule, more } = renderer;
  return {
    chat: (line) => text(renderer.chat(line)),
    system: (line) => text(renderer.system(line)),
    file(...given) {
      const shown = renderer.file(...given);
      return shown === undefined ? undefined : text(shown);
    },
    note: (note) => text(renderer.note(note)),
    connection: (note) => text(renderer.connection(note)),
    ...(day === undefined ? {} : { day: (given) => text(day(given)) }),
    ...(roomSwitch === undefined ? {} : { roomSwitch: (room) => text(roomSwitch(room)) }),
    ...(rule === undefined ? {} : { rule: (given) => text(rule(given)) }),
    ...(more === undefined
      ? {}
      : { more: (...given) => text({ kind: "system", rows: [more(...given)] }) }),
  };
}
