import '@fontsource-variable/inter';
import '@fontsource-variable/jetbrains-mono';
import '@fontsource-variable/noto-sans-jp';
import './tokens.css';
import './base.css';
import { mount } from 'svelte';
import AppRoot from './App.svelte';
import { App } from './state/app.svelte.ts';
import { connectStudio } from './state/studio.ts';

/** `localStorage`, where there is one: a private window may refuse it. */
const store = {
  get(key: string): string | null {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  set(key: string, value: string): void {
    try {
      localStorage.setItem(key, value);
    } catch {
      // Nothing is lost but the convenience of finding widths and the draft again.
    }
  },
};

async function start(): Promise<void> {
  const target = document.getElementById('app');
  if (target === null) throw new Error('The page has no #app.');
  const app = new App(await connectStudio(window), {
    bar: window,
    widthStore: store,
    draftStore: { get: () => store.get('draft'), set: (text) => store.set('draft', text) },
  });
  mount(AppRoot, { target, props: { app } });
}

void start();
