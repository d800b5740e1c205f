// Date fields speak of local days as "2026-11-23"; filters of milliseconds since 1970.

/** The first millisecond of a day; null for what is no day. */
export function dayStart(day: string): number | null {
  const parts = partsOf(day);
  return parts === null ? null : new Date(parts[0], parts[1] - 1, parts[2]).getTime();
}

/** The last millisecond of a day; null for what is no day. */
export function dayEnd(day: string): number | null {
  const parts = partsOf(day);
  return parts === null ? null : new Date(parts[0], parts[1] - 1, parts[2] + 1).getTime() - 1;
}

/** The day of a moment. */
export function dayOfTime(time: number): string {
  const date = new Date(time);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function partsOf(day: string): readonly [number, number, number] | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day);
  return match === null ? null : [Number(match[1]), Number(match[2]), Number(match[3])];
}
