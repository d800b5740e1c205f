import { en } from '../messages/en.ts';
import { ja } from '../messages/ja.ts';
import type { PlacesOf } from '../messages/types.ts';

export type Language = 'en' | 'ja';
export type MessageKey = keyof typeof en;
type Values<Key extends MessageKey> = {
  readonly [Place in PlacesOf<(typeof en)[Key]>]: string | number;
};
/** A key whose sentence asks for no values: what titles of commands are. */
export type PlainKey = {
  [Key in MessageKey]: [PlacesOf<(typeof en)[Key]>] extends [never] ? Key : never;
}[MessageKey];
type Rest<Key extends MessageKey> = [PlacesOf<(typeof en)[Key]>] extends [never]
  ? []
  : [values: Values<Key>];

/** Words that are not ours, with their language where that is not the window's. */
export interface Words {
  readonly text: string;
  readonly lang?: 'en' | undefined;
}

type Forms = string | { readonly one?: string; readonly other: string };
const CATALOGUES: Readonly<Record<Language, Readonly<Record<MessageKey, Forms>>>> = { en, ja };

/** What `t` looks like to code that only passes it on. */
export type Translate = <Key extends MessageKey>(key: Key, ...rest: Rest<Key>) => string;

/** The language of the window: sentences from the catalogues, numbers and dates through Intl. */
export class I18n {
  language = $state<Language>('en');
  readonly #number = $derived(new Intl.NumberFormat(this.language));
  /** Formats with so many digits, by language and digits. */
  readonly #exact = new Map<string, Intl.NumberFormat>();
  readonly #plural = $derived(new Intl.PluralRules(this.language));

  /** The sentence of a key. Numbers among the values are formatted; pass seeds as text. */
  t: Translate = (key, ...rest) => this.#fill(key, rest[0] ?? {});

  /** A sentence whose key is only known at run time; null when the catalogue lacks it. */
  lookup(key: string, values: Readonly<Record<string, string | number>> = {}): string | null {
    return Object.hasOwn(CATALOGUES.en, key) ? this.#fill(key as MessageKey, values) : null;
  }

  #fill(key: MessageKey, values: Readonly<Record<string, string | number>>): string {
    return this.#form(CATALOGUES[this.language][key], values['count']).replace(
      /\{(\w+)\}/g,
      (_, name: string) => {
        const value = values[name];
        return typeof value === 'number' ? this.#number.format(value) : (value ?? '');
      },
    );
  }

  #form(forms: Forms, count: string | number | undefined): string {
    if (typeof forms === 'string') return forms;
    const one = forms.one !== undefined && this.#plural.select(Number(count)) === 'one';
    return one ? (forms.one ?? forms.other) : forms.other;
  }

  /** The text of a title that a model brings in one or two languages. */
  pick(text: { readonly en: string; readonly ja?: string | undefined }): string {
    return this.language === 'ja' ? (text.ja ?? text.en) : text.en;
  }

  /** The language of what `pick` gives, where it is not the window's. */
  langOf(text: { readonly ja?: string | undefined }): 'en' | undefined {
    return this.language === 'ja' && text.ja === undefined ? 'en' : undefined;
  }

  /** A title with its language. */
  words(text: { readonly en: string; readonly ja?: string | undefined }): Words {
    return { text: this.pick(text), lang: this.langOf(text) };
  }

  number(value: number, digits?: number): string {
    if (digits === undefined) return this.#number.format(value);
    // Making one takes longer than a hundred numbers.
    const key = `${this.language} ${digits}`;
    const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    const format = this.#exact.get(key) ?? new Intl.NumberFormat(this.language, options);
    this.#exact.set(key, format);
    return format.format(value);
  }

  /** "4.3 GB": decimal units, as disks and file managers count. */
  bytes(value: number): string {
    const units = ['B', 'kB', 'MB', 'GB', 'TB'];
    const step = value < 1 ? 0 : Math.min(4, Math.floor(Math.log10(value) / 3));
    const scaled = value / 1000 ** step;
    return `${this.number(scaled, step === 0 || scaled >= 100 ? 0 : 1)} ${units[step] ?? 'B'}`;
  }

  /** A length of time: "240 ms", "1.3 s", "12 s", "3 min 5 s". */
  duration(ms: number): string {
    if (ms < 100) return this.t('unit.milliseconds', { value: Math.round(ms) });
    if (ms < 10_000) return this.t('unit.seconds', { value: this.number(ms / 1000, 1) });
    const seconds = Math.round(ms / 1000);
    if (seconds < 60) return this.t('unit.seconds', { value: seconds });
    return this.t('unit.minutes', { minutes: Math.floor(seconds / 60), seconds: seconds % 60 });
  }

  /** A moment as date and time. */
  date(time: number): string {
    return this.#moment(time, { dateStyle: 'medium', timeStyle: 'short' });
  }

  /** The day of a moment. */
  day(time: number): string {
    return this.#moment(time, { dateStyle: 'medium' });
  }

  /** The time of day of a moment. */
  time(time: number): string {
    return this.#moment(time, { timeStyle: 'short' });
  }

  #moment(time: number, options: Intl.DateTimeFormatOptions): string {
    return new Intl.DateTimeFormat(this.language, options).format(time);
  }
}
