import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { startFakeHost } from './fake-host.ts';

// Takes pictures of the built page with the stand-in behind it, to be looked at by a person:
//   node test/renderer/screens.ts <folder> [sheet of sample pictures]

const [folder = 'out/screens', sheet] = process.argv.slice(2);
const SIZE = { width: 1440, height: 900 };

interface Shot {
  readonly name: string;
  readonly hash?: string;
  readonly theme?: 'dark' | 'light';
  readonly language?: 'en' | 'ja';
  readonly textSize?: number;
  readonly size?: { readonly width: number; readonly height: number };
  readonly images?: number;
  readonly act?: (page: Page) => Promise<void>;
}

const running = async (page: Page) => {
  const count = page.getByRole('spinbutton', { name: /^Count$|^枚数$/ });
  if (await count.isVisible()) {
    await count.fill('16');
    await page.keyboard.press('Enter');
  }
  await page.keyboard.press('Control+Enter');
  await page.waitForTimeout(4300);
};
const finished = async (page: Page) => {
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.title.startsWith('Done'), null, { timeout: 20_000 });
  await page.waitForTimeout(1000);
};
const SHOTS: readonly Shot[] = [
  { name: 'first-dark' },
  { name: 'running-dark', act: running },
  { name: 'running-light', theme: 'light', act: running },
  { name: 'running-dark-ja', language: 'ja', act: running },
  { name: 'finished-dark', act: finished },
  {
    name: 'uncertainty-dark',
    act: async (page) => {
      await finished(page);
      await page.getByText('Uncertainty').first().click();
      await page.waitForTimeout(400);
    },
  },
  {
    name: 'tokens-light',
    theme: 'light',
    act: async (page) => {
      await finished(page);
      await page.getByText('Tokens', { exact: true }).first().click();
      await page.waitForTimeout(400);
    },
  },
  { name: 'settings-dark', hash: '#/settings' },
  { name: 'settings-light-ja', hash: '#/settings', theme: 'light', language: 'ja' },
  {
    name: 'settings-library-dark',
    hash: '#/settings',
    act: async (page) => {
      await page.getByRole('navigation').getByRole('button', { name: 'Library' }).click();
    },
  },
  {
    name: 'import-library-light-ja',
    theme: 'light',
    language: 'ja',
    act: (page) => page.getByRole('button', { name: 'ライブラリの取り込み' }).click(),
  },
  {
    name: 'export-library-dark',
    hash: '#/settings',
    act: (page) => page.getByRole('button', { name: 'Export…' }).click(),
  },
  { name: 'palette-dark', act: (page) => page.keyboard.press('Control+k') },
  { name: 'shortcuts-dark', act: (page) => page.keyboard.press('Shift+?') },
  { name: 'small-dark', size: { width: 1080, height: 680 }, act: running },
  { name: 'text200-dark', textSize: 200, act: running },
  {
    name: 'queue-dark',
    act: async (page) => {
      await running(page);
      await page.getByRole('button', { name: /^Queue/ }).click();
      await page.waitForTimeout(300);
    },
  },
];

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-quic', '--disable-background-networking'],
});
await mkdir(folder, { recursive: true });
const only = process.env['ONLY']?.split(',');
for (const shot of SHOTS.filter(({ name }) => only === undefined || only.includes(name))) {
  const host = await startFakeHost({
    page: process.env['PAGE'] ?? 'out/renderer',
    sheet: sheet ?? null,
    images: shot.images ?? 48,
    stepMs: 250,
    settings: {
      theme: shot.theme ?? 'dark',
      language: shot.language ?? 'en',
      textSize: shot.textSize ?? 100,
    },
  });
  const context = await browser.newContext({ viewport: shot.size ?? SIZE });
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error') console.log(`${shot.name}: ${message.text()}`);
  });
  let errors = 0;
  page.on('pageerror', (error) => {
    errors += 1;
    if (errors < 3) console.log(`${shot.name}: ${(error.stack ?? error.message).slice(0, 900)}`);
  });
  await page.goto(`${host.address}${shot.hash ?? ''}`);
  await page.waitForTimeout(1200);
  try {
    await shot.act?.(page);
  } catch (error) {
    console.log(`${shot.name}: ${String(error)}`);
  }
  await page.waitForTimeout(300);
  await page.screenshot({ path: join(folder, `${shot.name}.png`) });
  await context.close();
  await host.stop();
}
await browser.close();
