import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { startHost, type Host, type HostOptions } from './host.ts';
import { BROWSER, launch, openWindow, type Look, type Window } from './window.ts';

// A story takes seconds; on a machine that does other things besides, it is only slower.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

/** A test that needs the browser. */
export const story = test.skipIf(!existsSync(BROWSER));

/** An expectation of something that takes its time: `await eventually(read).toBe(3)`. */
export const eventually = <T>(read: () => T) =>
  expect.poll(read, { timeout: 30_000, interval: 30 });

/** What the stories of one file share: one studio, one browser. */
export interface Stage {
  readonly host: Host;
  readonly client: Host['client'];
  open(look?: Look): Promise<Window>;
}

export interface StageOptions extends HostOptions {
  /** Puts things into the library before the first story. */
  readonly prepare?: (client: Host['client']) => Promise<void>;
}

/**
 * The studio and browser of a test file. After each story its windows are closed, and none may
 * have had a problem.
 */
export function stage({ prepare, ...options }: StageOptions = {}): Stage {
  let host: Host | undefined;
  let browser: Browser | undefined;
  const windows: Window[] = [];
  const there = (): { readonly host: Host; readonly browser: Browser } => {
    if (host === undefined || browser === undefined) throw new Error('The stage is not set.');
    return { host, browser };
  };

  beforeAll(async () => {
    if (!existsSync(BROWSER)) return;
    [host, browser] = await Promise.all([startHost(options), launch()]);
    await prepare?.(host.client);
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await windows[0]?.shot(`failed-${task.id}`);
    const problems = windows.flatMap((window) => window.problems);
    await Promise.all(windows.splice(0).map((window) => window.close()));
    expect(problems).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await host?.stop();
  });

  return {
    get host() {
      return there().host;
    },
    get client() {
      return there().host.client;
    },
    async open(look) {
      const set = there();
      const window = await openWindow(set.browser, set.host, look);
      windows.push(window);
      return window;
    },
  };
}
