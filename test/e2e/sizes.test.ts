import { describe, expect } from 'vitest';
import { stage, story } from './app.ts';
import { crowded } from './room.ts';
import { furnish } from './steps.ts';
import { go, VIEWS } from './views.ts';

const app = stage({ model: 'tiny', prepare: furnish });
const NOTHING = Object.fromEntries(Object.keys(VIEWS).map((at) => [at, []]));

describe.each(['en', 'ja'] as const)('in %s', (language) => {
  story('at 1080 × 680 nothing scrolls sideways and no text is cut', async () => {
    const { page, shot } = await app.open({ language, size: { width: 1080, height: 680 } });
    const found: Record<string, readonly string[]> = {};
    for (const at of Object.keys(VIEWS)) {
      await go(page, at);
      await shot(`small-${language}${at.replace('/', '-')}`);
      found[at] = await crowded(page);
    }
    expect(found).toEqual(NOTHING);
  });

  story('with text at 200 % nothing is cut or overlaps', async () => {
    await app.client.studio.configure({ textSize: 200 });
    const { page, shot } = await app.open({ language });
    const found: Record<string, readonly string[]> = {};
    for (const at of Object.keys(VIEWS)) {
      await go(page, at);
      await shot(`large-${language}${at.replace('/', '-')}`);
      found[at] = await crowded(page);
    }
    await app.client.studio.configure({ textSize: 100 });
    expect(found).toEqual(NOTHING);
  });
});
