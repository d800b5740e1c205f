import '@fontsource-variable/inter';
import '@fontsource-variable/jetbrains-mono';
import '@fontsource-variable/noto-sans-jp';
import './tokens.css';
import './base.css';
import { mount } from 'svelte';
import AppRoot from './App.svelte';
import { App } from './state/app.svelte.ts';
import { Session } from './state/session.ts';
import { connectStudio } from './state/studio.ts';

async function start(): Promise<void> {
  const target = document.getElementById('app');
  if (target === null) throw new Error('The page has no #app.');
  const studio = await connectStudio(window);
  const session = await Session.open(studio);
  const app = new App(studio, { bar: window, kept: session });
  // A window that goes away, or to the back, may not come again.
  window.addEventListener('pagehide', () => void session.flush());
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) void session.flush();
  });
  app.events.onConnected(() => void session.flush());
  mount(AppRoot, { target, props: { app } });
}

void start();
