import { ERROR_CODES, type ErrorCode } from '#api/errors';
import type { I18n, MessageKey } from './i18n.svelte.ts';
import { isRecord } from './is-record.ts';
import { reasonOf, reasonWords } from './reasons.ts';

/** The contract's codes, and the one that only a window can meet. */
export type FailureCode = ErrorCode | 'connection';

/** A failure as the window shows it: what happened, what is safe, what to do, then the code. */
export interface Failure {
  readonly code: FailureCode;
  readonly sentence: string;
  /** What was at fault this time, in the person's language; null when there are no words for it. */
  readonly why: string | null;
  /** The studio's own words, in English, for the report. */
  readonly detail: string;
}

/** The stable code of anything that a call threw. */
export function failureCode(error: unknown): FailureCode {
  const code = isRecord(error) ? error['code'] : undefined;
  const known = ERROR_CODES.find((candidate) => candidate === code);
  if (known !== undefined) return known;
  // oRPC's own refusal of an input that fails the contract's schema.
  if (code === 'BAD_REQUEST') return 'invalid-request';
  // `fetch` rejects with a TypeError when nobody answers; a closed port ends with an AbortError.
  const name = isRecord(error) ? error['name'] : undefined;
  return name === 'TypeError' || name === 'AbortError' ? 'connection' : 'internal';
}

/** Turns anything thrown into what a person is told. */
export function describeFailure(i18n: I18n, error: unknown): Failure {
  const code = failureCode(error);
  const detail = error instanceof Error ? error.message : String(error);
  const reason = reasonOf(error);
  const why = reason === null ? null : reasonWords(i18n, reason);
  return { code, sentence: sentenceOf(i18n, code, fieldOf(error)), why, detail };
}

/** A failure as it stands beside what was refused. The English words only where they say more. */
export function failureNote(i18n: I18n, { code, sentence, why, detail }: Failure) {
  const more = i18n.language === 'en' && detail !== why;
  return {
    lines: why === null ? [sentence] : [sentence, why],
    detail: more ? detail : '',
    code: i18n.t('error.code', { code }),
  };
}

/** The sentence of a code; `field` fills in what was wrong with a request. */
export function sentenceOf(i18n: I18n, code: FailureCode, field = ''): string {
  if (code === 'invalid-request') {
    const name = field.split('.').at(-1) ?? '';
    return i18n.t('error.invalid-request', { field: i18n.lookup(`field.${name}`) ?? field });
  }
  const key: MessageKey = `error.${code}`;
  return i18n.t(key);
}

function fieldOf(error: unknown): string {
  const data = isRecord(error) ? error['data'] : undefined;
  const field = isRecord(data) ? data['field'] : undefined;
  return typeof field === 'string' ? field : '';
}
