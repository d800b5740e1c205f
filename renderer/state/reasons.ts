import type { I18n } from './i18n.svelte.ts';
import { isRecord } from './is-record.ts';

/** A reason as it comes from the studio, which may be newer than this window. */
export interface ReasonLike {
  readonly code: string;
  readonly values: Readonly<Record<string, string | number>>;
}

/** A reason in the person's language; null where the catalogue has no words for it. */
export function reasonWords(i18n: I18n, { code, values }: ReasonLike): string | null {
  const { part } = values;
  const named = part === undefined ? null : i18n.lookup(`part.${part}`);
  return i18n.lookup(`reason.${code}`, named === null ? values : { ...values, part: named });
}

/** The reason that a failure of the studio carries, if it carries one. */
export function reasonOf(error: unknown): ReasonLike | null {
  const data = isRecord(error) ? error['data'] : undefined;
  const reason = isRecord(data) ? data['reason'] : undefined;
  if (!isRecord(reason) || typeof reason['code'] !== 'string') return null;
  const values = isRecord(reason['values']) ? Object.entries(reason['values']) : [];
  const plain = values.filter(
    (entry): entry is [string, string | number] =>
      typeof entry[1] === 'string' || typeof entry[1] === 'number',
  );
  return { code: reason['code'], values: Object.fromEntries(plain) };
}
