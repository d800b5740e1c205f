import type { DoctorCheck } from '#api/studio';
import type { I18n } from '../state/i18n.svelte.ts';
import { reasonWords } from '../state/reasons.ts';
import { withoutPaths } from '../state/report.ts';

/** A check in words. */
export interface DoctorLine {
  readonly code: string;
  readonly state: DoctorCheck['state'];
  readonly title: string;
  readonly value: string;
  readonly text: string;
}

/** Values that are numbers of bytes. */
const BYTES = ['bytes', 'free', 'total', 'used'];

/** What a check found, in the person's language; the code itself where it has no words yet. */
export function doctorLine(i18n: I18n, { code, state, values, reason }: DoctorCheck): DoctorLine {
  const detail = reason === undefined ? null : reasonWords(i18n, reason);
  const told = detail === null ? values : { ...values, detail };
  const shown = Object.fromEntries(
    Object.entries(told).map(([name, value]) => [name, showValue(i18n, name, value)]),
  );
  const words = (key: string) => i18n.lookup(key, shown);
  const title = words(`doctor.${code}`);
  return {
    code,
    state,
    title: title ?? code,
    value: words(`doctor.${code}.value`) ?? '',
    text:
      words(`doctor.${code}.${state}`) ??
      words(`doctor.${code}.text`) ??
      (title === null ? Object.values(shown).join(' · ') : ''),
  };
}

function showValue(i18n: I18n, name: string, value: string | number): string | number {
  if (typeof value === 'number' && BYTES.includes(name)) return i18n.bytes(value);
  if (name === 'at') return i18n.date(Number(value));
  if (name === 'target') return i18n.lookup(`target.${value}`) ?? value;
  return value;
}

/** What a report is made of besides the checks. */
export interface ReportFrame {
  readonly version: string;
  readonly at: Date;
}

/**
 * The report for somebody who helps: codes, states and values. Folders are left out, because they
 * hold people's names, and nothing in it comes from a picture.
 */
export function doctorReport(checks: readonly DoctorCheck[], { version, at }: ReportFrame): string {
  const lines = checks.map(({ code, state, values }) => {
    const told = Object.entries(values)
      .filter(([name]) => name !== 'folder' && name !== 'path')
      .map(([name, value]) => `${name}=${withoutPaths(String(value))}`);
    return [state.padEnd(4), code, ...told].join(' ');
  });
  return [`RCG Studio ${version}`, at.toISOString().slice(0, 10), ...lines, ''].join('\n');
}
