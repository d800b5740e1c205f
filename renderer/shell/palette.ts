import type { SearchImages } from '#api/gallery';
import type { App } from '../state/app.svelte.ts';
import { commandPlace, type CommandInfo } from '../state/commands.svelte.ts';
import type { Words } from '../state/i18n.svelte.ts';
import { SETTINGS_PARTS, SETTINGS_ROWS } from '../state/settings-places.ts';
import { FIELD_LIMITS, type DraftField } from '../state/draft-values.ts';
import { parseNumber } from '../shared/numbers.ts';

/** A line of the palette. */
export interface PaletteItem {
  readonly id: string;
  readonly title: string;
  /** A name in the title that may be in another language. */
  readonly named?: Words;
  /** What kind of thing it is, or where it is. */
  readonly hint?: string;
  readonly combo?: string;
  /** It answers the text itself, whatever its title says. */
  readonly sure?: true;
  readonly run: () => void;
}

interface PaletteGroup {
  readonly title: string;
  readonly items: readonly PaletteItem[];
}

const GROUPS = ['go', 'make', 'edit', 'view', 'help'] as const;
/** Of things that there may be thousands of. */
const MOST = 12;
const BY_DATE = { by: 'createdAt', descending: true } as const;

/** What the palette offers for a text; with none, the commands alone. */
export function paletteGroups(app: App, text: string): readonly PaletteGroup[] {
  const { t } = app.i18n;
  const wanted = text.trim();
  const found =
    wanted === ''
      ? []
      : [
          {
            title: t('palette.set.group'),
            items: [...setItems(app, wanted), ...seedItems(app, wanted)],
          },
          { title: t('view.gallery'), items: galleryItems(app, wanted) },
          { title: t('view.models'), items: modelItems(app, wanted) },
          { title: t('view.settings'), items: settingsItems(app, wanted) },
        ];
  return [...found, ...commandGroups(app)].filter(({ items }) => items.length > 0);
}

function commandGroups(app: App): readonly PaletteGroup[] {
  const { commands, i18n } = app;
  const never = (command: CommandInfo) =>
    command.fixed === true || (command.writes === true && app.lookOnly);
  const usable = commands.list.filter(
    (command) => commands.canRun(command) || !(never(command) || commands.isHere(command)),
  );
  return GROUPS.map((group) => ({
    title: i18n.t(`command.group.${group}`),
    items: usable
      .filter((command) => command.group === group)
      .map((command) => ({
        id: command.id,
        title: i18n.t(command.title),
        hint: commands.isHere(command) ? '' : commandPlace(i18n, command),
        combo: commands.keyOf(command.id),
        run: () => app.perform(command),
      })),
  }));
}

function setItems({ i18n, draft }: App, text: string): readonly PaletteItem[] {
  const { t } = i18n;
  return settingEntries(text, (field) => t(`field.${field}`)).map(({ field, name, value }) => ({
    id: `set ${field}`,
    title: t('palette.set', { field: name, value: String(value) }),
    sure: true,
    run: () => draft.set({ [field]: value }),
  }));
}

/** A number alone is a seed; so is one behind the word. */
function seedItems(app: App, text: string): readonly PaletteItem[] {
  const { t } = app.i18n;
  const [, word = '', digits = ''] = /^(\p{L}*)\s*(\p{Nd}+)$/u.exec(text) ?? [];
  const seed = parseNumber(digits);
  const named = t('field.seed').toLocaleLowerCase();
  if (seed === null || !allowed('seed', seed)) return [];
  if (word !== '' && !named.startsWith(word.toLocaleLowerCase())) return [];
  const ranges = [{ field: 'seed' as const, min: seed, max: seed }];
  const set: PaletteItem = {
    id: 'seed set',
    title: t('palette.set', { field: t('field.seed'), value: String(seed) }),
    sure: true,
    run: () => app.draft.set({ seed }),
  };
  return [
    ...(word === '' ? [set] : []),
    {
      id: 'seed find',
      title: t('palette.seed', { seed: String(seed) }),
      sure: true,
      run: () => find(app, { filter: { ranges }, sort: BY_DATE }),
    },
  ];
}

function galleryItems(app: App, text: string): readonly PaletteItem[] {
  const { t } = app.i18n;
  const { searches = [], boards = [], tags = [] } = app.library.summary ?? {};
  const item = (kind: 'search' | 'board' | 'tag', name: string, search: SearchImages) => ({
    id: `${kind} ${name}`,
    title: name,
    hint: t(`palette.${kind}`),
    run: () => find(app, search),
  });
  return [
    ...some(searches, text).map(({ name, search }) => item('search', name, search)),
    ...some(boards, text).map(({ name, id }) =>
      item('board', name, { filter: { board: id }, sort: BY_DATE }),
    ),
    ...some(tags, text).map(({ name }) =>
      item('tag', name, { filter: { tags: [name] }, sort: BY_DATE }),
    ),
  ];
}

function modelItems(app: App, text: string): readonly PaletteItem[] {
  const { models, settings, act, i18n } = app;
  // The chosen one is a setting, which is kept in the library.
  if (app.lookOnly) return [];
  const usable = models.list
    .filter((model) => models.canGenerate(model))
    .map(({ id, title }) => ({ id, name: i18n.pick(title), named: i18n.words(title) }));
  return some(usable, text).map(({ id, name, named }) => ({
    id: `model ${id}`,
    title: i18n.t('palette.model', { name }),
    named,
    run: () => void act(settings.change({ model: id })),
  }));
}

function settingsItems(app: App, text: string): readonly PaletteItem[] {
  const { t } = app.i18n;
  const places = [
    ...SETTINGS_PARTS.map((part) => ({ part, key: part, name: t(`settings.${part}`) })),
    ...SETTINGS_ROWS.map(({ part, name }) => ({ part, key: name, name: t(`settings.${name}`) })),
  ];
  return some(places, text).map(({ part, key, name }) => ({
    id: `settings ${key}`,
    title: name,
    run: () => app.navigation.go('settings', { part }),
  }));
}

function find({ navigation }: App, search: SearchImages): void {
  navigation.go('gallery', { find: search });
}

/** The first few whose name has the text. */
function some<T extends { readonly name: string }>(list: readonly T[], text: string): readonly T[] {
  const words = text.toLocaleLowerCase();
  return list.filter(({ name }) => name.toLocaleLowerCase().includes(words)).slice(0, MOST);
}

/** A setting that the palette's text sets: "temperature 8". */
interface SettingEntry {
  readonly field: DraftField;
  readonly name: string;
  readonly value: number;
}

const FIELDS = ['steps', 'rdmSteps', 'eta', 'temperature', 'guidance', 'seed', 'count'] as const;

/**
 * Settings that a text such as "temp 8" can mean: the name begins with, or holds, the words before
 * a number that the field allows. `name` gives a field's words in the person's language.
 */
export function settingEntries(
  text: string,
  name: (field: (typeof FIELDS)[number]) => string,
): readonly SettingEntry[] {
  const match = /^(.*?\S)\s+(\S+)$/u.exec(text.trim());
  const value = parseNumber(match?.[2] ?? '');
  if (match === null || value === null) return [];
  const words = (match[1] ?? '').toLocaleLowerCase();
  return FIELDS.filter((field) => name(field).toLocaleLowerCase().includes(words))
    .filter((field) => allowed(field, value))
    .map((field) => ({ field, name: name(field), value }));
}

function allowed(field: (typeof FIELDS)[number], value: number): boolean {
  const { min, max } = FIELD_LIMITS[field];
  const whole = field === 'eta' || field === 'temperature' || field === 'guidance';
  return value >= min && value <= max && (whole || Number.isInteger(value));
}
