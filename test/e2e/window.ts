import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import type { Host } from './host.ts';

/** Debian's browser. Where it is missing, the stories are skipped. */
export const BROWSER = '/usr/bin/chromium';
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const SCREENS = fileURLToPath(new URL('screens', import.meta.url));
/** How long a story waits for something to appear. */
const PATIENCE_MS = 20_000;

export interface Look {
  readonly theme?: 'dark' | 'light';
  readonly language?: 'en' | 'ja';
  readonly size?: { readonly width: number; readonly height: number };
  readonly reducedMotion?: boolean;
  /** The part of the address behind #, such as /gallery. */
  readonly at?: string;
  /** Whether it goes on where the last window of the studio was. */
  readonly goesOn?: boolean;
  /** Console errors that this story causes on purpose. */
  readonly expects?: RegExp;
}

/** A window on the studio. */
export interface Window {
  readonly page: Page;
  /** What no story may cause: errors on the console, uncaught ones, requests that leave. */
  readonly problems: readonly string[];
  /** Saves what is on the screen for a person to look at, when SCREENS is set. */
  shot(name: string): Promise<void>;
  close(): Promise<void>;
}

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: BROWSER, args: ARGUMENTS });
}

/** Opens a window of a studio; the page is ready when it has the studio's state. */
export async function openWindow(browser: Browser, host: Host, look: Look = {}): Promise<Window> {
  if (look.goesOn !== true) await forgetSession(host.client);
  const context = await newContext(browser, look);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const problems: string[] = [];
  watch(page, { problems, origin: host.origin, expects: look.expects });
  await page.goto(look.at === undefined ? host.url : `${host.url}#${look.at}`);
  // The views, or the page of a library that is not open.
  await page.locator('nav a[aria-current], main[data-region]').first().waitFor();
  return {
    page,
    problems,
    async shot(name) {
      if (!process.env['SCREENS']) return;
      await mkdir(SCREENS, { recursive: true });
      await page.screenshot({ path: join(SCREENS, `${name}.png`) });
    },
    close: () => context.close(),
  };
}

/** A story begins with a window that was never anywhere, whatever the one before did. */
async function forgetSession({ session }: Host['client']): Promise<void> {
  const { entries } = await session.get();
  await session.put(Object.fromEntries(Object.keys(entries).map((name) => [name, null])));
}

function newContext(browser: Browser, look: Look): Promise<BrowserContext> {
  const { theme = 'dark', language = 'en', size, reducedMotion = false } = look;
  return browser.newContext({
    viewport: size ?? { width: 1440, height: 900 },
    colorScheme: theme,
    locale: language === 'en' ? 'en-GB' : 'ja-JP',
    reducedMotion: reducedMotion ? 'reduce' : 'no-preference',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
}

interface Watch {
  readonly problems: string[];
  readonly origin: string;
  readonly expects: RegExp | undefined;
}

function watch(page: Page, { problems, origin, expects }: Watch): void {
  page.on('console', (message) => {
    if (message.type() !== 'error' || expects?.test(message.text())) return;
    problems.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => problems.push(`uncaught: ${error.stack ?? error.message}`));
  page.on('crash', () => problems.push('the page crashed'));
  page.on('request', (request) => {
    const url = request.url();
    const inside = url.startsWith(`${origin}/`) || /^(data|blob):/.test(url);
    if (!inside) problems.push(`left the studio: ${url}`);
  });
}
