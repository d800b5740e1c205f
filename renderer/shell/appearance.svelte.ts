import type { Settings } from '#api/settings';
import type { Language } from '../state/i18n.svelte.ts';

/** What the system says where the person chose "System". */
export interface SystemLook {
  readonly dark: boolean;
  readonly language: string;
}

/** How the page looks: computed from the settings, written to the root element by `App.svelte`. */
export interface Look {
  readonly theme: 'dark' | 'light';
  readonly language: Language;
  readonly textScale: number;
  readonly reduceMotion: boolean;
}

export function lookOf(settings: Settings, system: SystemLook): Look {
  const { theme, language, textSize, reduceMotion } = settings;
  const chosen = language === 'system' ? system.language : language;
  return {
    theme: theme === 'system' ? (system.dark ? 'dark' : 'light') : theme,
    language: /^ja\b/i.test(chosen) ? 'ja' : 'en',
    textScale: textSize / 100,
    reduceMotion: reduceMotion === 'on',
  };
}

/** The system's choices, followed while the page is open. */
export class SystemLookWatch implements SystemLook {
  dark = $state(true);
  language = $state('en');

  constructor(window: Window) {
    const query = window.matchMedia('(prefers-color-scheme: dark)');
    this.dark = query.matches;
    this.language = window.navigator.language;
    query.addEventListener('change', () => (this.dark = query.matches));
    window.addEventListener('languagechange', () => (this.language = window.navigator.language));
  }
}

/** Writes a look to the root element. */
export function applyLook(root: HTMLElement, look: Look, busy: boolean): void {
  root.lang = look.language;
  root.dataset['theme'] = look.theme;
  root.style.setProperty('--text-scale', String(look.textScale));
  root.toggleAttribute('data-reduce-motion', look.reduceMotion);
  // Nothing moves while the device works: what has a transition has a rule for this.
  root.toggleAttribute('data-busy', busy);
}
