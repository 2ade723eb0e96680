/** Plots as SVG text: bars in groups, and lines over time. */
export interface Series {
  name: string;
  values: readonly number[];
}

const WIDTH = 900;
const HEIGHT = 320;
const LEFT = 56;
const TOP = 40;
const BOTTOM = 48;
/** Told apart also by who does not see red and green (Okabe and Ito). */
const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00'];

/** A group of bars for each label; the axis is cut at `max`, and what is above says its value. */
export function bars(
  title: string,
  labels: readonly string[],
  series: readonly Series[],
  max: number,
): string {
  const groupWidth = (WIDTH - LEFT) / labels.length;
  const barWidth = (groupWidth * 0.8) / series.length;
  const shapes = series.flatMap(({ values }, s) =>
    values.map((value, group) => {
      const x = LEFT + group * groupWidth + groupWidth * 0.1 + s * barWidth;
      const y = heightOf(Math.min(value, max), max);
      const bar = rect(x, y, barWidth * 0.9, heightOf(0, max) - y, COLOURS[s]!);
      return value > max
        ? bar + text(x + barWidth / 2, TOP - 2, value.toFixed(0), 'middle', 9)
        : bar;
    }),
  );
  const names = labels.map((label, group) =>
    text(LEFT + (group + 0.5) * groupWidth, HEIGHT - BOTTOM + 16, label, 'middle', 11),
  );
  return svg(title, series, [...axis(max), ...shapes, ...names]);
}

/** Values one a second; `from` and `to`: what is shaded, seconds. */
export function lines(
  title: string,
  series: readonly Series[],
  shaded: { from: number; to: number },
): string {
  const count = Math.max(...series.map(({ values }) => values.length));
  const xOf = (second: number): number => LEFT + ((WIDTH - LEFT - 8) * second) / count;
  const shade = rect(
    xOf(shaded.from),
    TOP,
    xOf(shaded.to) - xOf(shaded.from),
    HEIGHT - TOP - BOTTOM,
    '#eeeeee',
  );
  const paths = series.map(({ values }, s) => {
    const points = values.map(
      (value, i) => `${xOf(i).toFixed(1)},${heightOf(value, 1).toFixed(1)}`,
    );
    return `<polyline fill="none" stroke="${COLOURS[s]}" stroke-width="1.5" points="${points.join(' ')}"/>`;
  });
  const minutes = Array.from({ length: Math.floor(count / 60) + 1 }, (_, minute) =>
    text(xOf(minute * 60), HEIGHT - BOTTOM + 16, `${minute} min`, 'middle', 11),
  );
  return svg(title, series, [shade, ...axis(1), ...paths, ...minutes]);
}

function heightOf(value: number, max: number): number {
  return HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * value) / max;
}

function axis(max: number): string[] {
  return [0, 0.25, 0.5, 0.75, 1].flatMap((part) => {
    const y = heightOf(part * max, max);
    const line = `<line x1="${LEFT}" x2="${WIDTH}" y1="${y}" y2="${y}" stroke="#dddddd"/>`;
    return [line, text(LEFT - 6, y + 4, String(Number((part * max).toPrecision(3))), 'end', 11)];
  });
}

function svg(title: string, series: readonly Series[], parts: readonly string[]): string {
  const legend = series.flatMap(({ name }, s) => {
    const x = LEFT + s * 210;
    return [
      rect(x, HEIGHT - 20, 12, 12, COLOURS[s]!),
      text(x + 18, HEIGHT - 10, name, 'start', 11),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif">`,
    rect(0, 0, WIDTH, HEIGHT, '#ffffff'),
    text(LEFT, 18, title, 'start', 14),
    ...parts,
    ...legend,
    '</svg>',
    '',
  ].join('\n');
}

function rect(x: number, y: number, width: number, height: number, fill: string): string {
  const at = [x, y, width, height].map((it) => it.toFixed(1)) as [string, string, string, string];
  return `<rect x="${at[0]}" y="${at[1]}" width="${at[2]}" height="${at[3]}" fill="${fill}"/>`;
}

function text(x: number, y: number, content: string, anchor: string, size: number): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" font-size="${size}">${escaped}</text>`;
}
