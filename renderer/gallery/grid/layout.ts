/** What a grid is made of. Lengths are in pixels. */
export interface GridShape {
  readonly count: number;
  /** Days in the order of the pictures; empty when they are not sorted by date. */
  readonly days: readonly { readonly day: string; readonly count: number }[];
  readonly columns: number;
  /** From the top of a row of cells to the top of the next. */
  readonly pitch: number;
  /** Height of a day's heading. */
  readonly heading: number;
}

interface Group {
  readonly day: string | null;
  /** Index of its first picture. */
  readonly first: number;
  readonly count: number;
  readonly top: number;
  /** Number of its first line, headings included. */
  readonly line: number;
}

/** A line of the grid: the heading of a day, or a row of cells. */
export type Line =
  | {
      readonly kind: 'day';
      readonly day: string;
      readonly count: number;
      readonly line: number;
      readonly top: number;
    }
  | {
      readonly kind: 'cells';
      readonly first: number;
      /** One past the last picture. */
      readonly end: number;
      readonly line: number;
      readonly top: number;
    };

export interface Box {
  readonly top: number;
  readonly bottom: number;
  /** Columns, both ends included. */
  readonly from: number;
  readonly to: number;
}

/**
 * Where every picture of a grid lies. A group is a day; within it rows are equally high, so a place
 * is found by a binary search over days and a division, however many pictures there are.
 */
export class GridLayout {
  readonly shape: GridShape;
  readonly height: number;
  readonly lineCount: number;
  readonly #groups: readonly Group[];

  constructor(shape: GridShape) {
    this.shape = shape;
    this.#groups = groupsOf(shape);
    const last = this.#groups.at(-1);
    this.height = last === undefined ? 0 : last.top + this.#heightOf(last);
    this.lineCount = last === undefined ? 0 : last.line + this.#headings(last) + this.#rows(last);
  }

  /** The lines that show between two heights. */
  between(from: number, to: number): readonly Line[] {
    const lines: Line[] = [];
    const start = this.#groupAt((group) => group.top <= from);
    for (const group of this.#groups.slice(Math.max(0, start))) {
      if (group.top > to) break;
      this.#addLines(lines, group, { from, to });
    }
    return lines;
  }

  /** The row of cells that a picture is in, and its column there. */
  lineOf(index: number): { readonly line: Line; readonly column: number } | null {
    const group = this.#groups[this.#groupAt((candidate) => candidate.first <= index)];
    if (group === undefined || index < 0 || index >= group.first + group.count) return null;
    const row = Math.floor((index - group.first) / this.shape.columns);
    return { line: this.#row(group, row), column: (index - group.first) % this.shape.columns };
  }

  /** The picture that lies `rows` rows below, in the same column where that row reaches so far. */
  below(index: number, rows: number): number {
    const place = this.lineOf(index);
    if (place === null) return Math.max(0, Math.min(index, this.shape.count - 1));
    let at = index;
    for (let step = 0; step < Math.abs(rows); step++) {
      const next = this.#neighbour(at, Math.sign(rows));
      if (next === null) break;
      at = next;
    }
    const row = this.lineOf(at)?.line;
    if (row?.kind !== 'cells' || at === index) return index;
    return Math.min(row.end - 1, row.first + place.column);
  }

  /** The first picture of the row at a height, or of the first row after it. */
  indexAt(y: number): number {
    const line = this.between(y, y + this.shape.heading + this.shape.pitch).find(
      (candidate) => candidate.kind === 'cells',
    );
    return line?.kind === 'cells' ? line.first : Math.max(0, this.shape.count - 1);
  }

  /** The pictures that a box touches. */
  inBox(box: Box): readonly number[] {
    return this.between(box.top, box.bottom).flatMap((line) => {
      if (line.kind === 'day') return [];
      const first = line.first + Math.max(0, box.from);
      const end = Math.min(line.end, line.first + box.to + 1);
      return Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i);
    });
  }

  /** The first picture of the row above or below. */
  #neighbour(index: number, by: number): number | null {
    const line = this.lineOf(index)?.line;
    if (line?.kind !== 'cells') return null;
    const next = by > 0 ? line.end : line.first - 1;
    const row = next < 0 || next >= this.shape.count ? null : this.lineOf(next)?.line;
    return row?.kind === 'cells' ? row.first : null;
  }

  /** The last group for which `holds`; groups that hold come first. */
  #groupAt(holds: (group: Group) => boolean): number {
    let low = 0;
    let high = this.#groups.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const group = this.#groups[middle];
      if (group !== undefined && holds(group)) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #addLines(lines: Line[], group: Group, { from, to }: { from: number; to: number }): void {
    const headings = this.#headings(group);
    const cellsTop = group.top + headings * this.shape.heading;
    if (group.day !== null && cellsTop >= from) {
      const { day, count, line, top } = group;
      lines.push({ kind: 'day', day, count, line, top });
    }
    const firstRow = Math.max(0, Math.floor((from - cellsTop) / this.shape.pitch));
    const lastRow = Math.min(this.#rows(group) - 1, Math.floor((to - cellsTop) / this.shape.pitch));
    for (let row = firstRow; row <= lastRow; row++) lines.push(this.#row(group, row));
  }

  #row(group: Group, row: number): Line {
    const { columns, heading, pitch } = this.shape;
    const first = group.first + row * columns;
    return {
      kind: 'cells',
      first,
      end: Math.min(group.first + group.count, first + columns),
      line: group.line + this.#headings(group) + row,
      top: group.top + this.#headings(group) * heading + row * pitch,
    };
  }

  #rows(group: Group): number {
    return Math.ceil(group.count / this.shape.columns);
  }

  #headings(group: Group): number {
    return group.day === null ? 0 : 1;
  }

  #heightOf(group: Group): number {
    return this.#headings(group) * this.shape.heading + this.#rows(group) * this.shape.pitch;
  }
}

function groupsOf({ count, days, columns, pitch, heading }: GridShape): readonly Group[] {
  const groups: Group[] = [];
  let [first, top, line] = [0, 0, 0];
  const add = (day: string | null, wanted: number): void => {
    // Days and ids come in one answer; should they ever differ, no picture is lost over it.
    const size = Math.min(wanted, count - first);
    if (size <= 0) return;
    groups.push({ day, first, count: size, top, line });
    const rows = Math.ceil(size / columns);
    first += size;
    top += (day === null ? 0 : heading) + rows * pitch;
    line += (day === null ? 0 : 1) + rows;
  };
  for (const day of days) add(day.day, day.count);
  add(null, count - first);
  return groups;
}
