// Places in texts: the service counts code points, JavaScript UTF-16 units. A character beyond the first plane (most
// emoji, rare Chinese) is two units and one code point.

/** The code points before the `units`-th UTF-16 unit of a text. */
export function toPoints(text: string, units: number): number {
  let points = 0;
  for (let at = 0; at < units && at < text.length; points += 1) at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  return points;
}

/** The part of a text between two places in code points. */
export function part(points: readonly string[], start: number, end: number): string {
  return points.slice(start, end).join("");
}

/** The places in code points where words begin and end, in any language; blanks are no words. */
export function wordsOf(text: string, locale: string): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  let at = 0;
  for (const { segment } of new Intl.Segmenter(locale, { granularity: "word" }).segment(text)) {
    const size = [...segment].length;
    if (segment.trim()) found.push({ start: at, end: at + size });
    at += size;
  }
  return found;
}
