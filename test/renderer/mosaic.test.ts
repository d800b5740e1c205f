import { describe, expect, test } from 'vitest';
import { mosaicPixels } from '../../renderer/generate/mosaic.ts';
import { Mosaics, type LoadTable } from '../../renderer/generate/mosaics.svelte.ts';
import { openApp, until } from './helpers.ts';

const MASK = 99;
/** Two codes: red, and white that fades to the right. */
const table = Uint8Array.from(
  [
    ...Array.from({ length: 16 }, () => [200, 10, 20]),
    ...Array.from({ length: 16 }, (_, at) => [255, 255, 255 - (at % 4)]),
  ].flat(),
);

/** A pixel of a grid of 2×2 tokens, RGBA. */
const pixel = (pixels: Uint8ClampedArray, x: number, y: number) =>
  Array.from(pixels.subarray((y * 8 + x) * 4, (y * 8 + x) * 4 + 4));

describe('a mosaic', () => {
  test('shows each decided token as its patch, and nothing where it is open', () => {
    const pixels = mosaicPixels(table, [0, MASK, MASK, 1], { mask: MASK });
    expect(pixels).toHaveLength(8 * 8 * 4);
    expect(pixel(pixels, 0, 0)).toEqual([200, 10, 20, 255]);
    expect(pixel(pixels, 3, 3)).toEqual([200, 10, 20, 255]);
    expect(pixel(pixels, 4, 0)).toEqual([0, 0, 0, 0]);
    expect([4, 7].map((x) => pixel(pixels, x, 7))).toEqual([
      [255, 255, 255, 255],
      [255, 255, 252, 255],
    ]);
  });

  test('leaves to real pixels what they show already', () => {
    const known = [0, MASK, MASK, MASK];
    const pixels = mosaicPixels(table, [0, 0, MASK, MASK], { mask: MASK, known });
    expect(pixel(pixels, 0, 0)).toEqual([0, 0, 0, 0]);
    expect(pixel(pixels, 4, 0)).toEqual([200, 10, 20, 255]);
  });

  test('paints no code that its table has not', () => {
    const pixels = mosaicPixels(table, [7, 7, 7, 7], { mask: MASK });
    expect(pixels.every((value) => value === 0)).toBe(true);
  });
});

describe('tables of patches', () => {
  async function setUp(mosaic: string | undefined, load: LoadTable) {
    const opened = openApp(mosaic === undefined ? {} : { mosaic });
    await until(() => opened.app.models.loaded);
    const mosaics = new Mosaics(opened.app, load);
    const { current } = opened.app.models;
    if (current === null) throw new Error('No model.');
    return { ...opened, mosaics, model: current };
  }

  test('are fetched once for a model, however often they are wanted', async () => {
    const asked: string[] = [];
    const { mosaics, model, close } = await setUp('/mosaics/x', (address) => {
      asked.push(address);
      return Promise.resolve(table);
    });
    expect(mosaics.get(model.id)).toBeNull();
    await Promise.all([mosaics.want(model), mosaics.want(model)]);
    await mosaics.want(model);
    expect(asked).toEqual(['/mosaics/x']);
    expect(mosaics.get(model.id)).toBe(table);
    expect(mosaics.get('another')).toBeNull();
    await close();
  });

  test('that are not there are asked for again when the models changed', async () => {
    let tries = 0;
    const load: LoadTable = () =>
      ++tries === 1 ? Promise.reject(new Error('gone')) : Promise.resolve(table);
    const { app, fake, mosaics, model, close } = await setUp('/mosaics/x', load);
    await mosaics.want(model);
    await mosaics.want(model);
    expect(tries).toBe(1);
    expect(mosaics.get(model.id)).toBeNull();
    let heard = false;
    app.events.on('models', () => (heard = true));
    fake.emit({ kind: 'models' });
    await until(() => heard);
    await mosaics.want(model);
    expect(mosaics.get(model.id)).toBe(table);
    await close();
    const none = await setUp(undefined, () => Promise.reject(new Error('never')));
    await none.mosaics.want(none.model);
    expect(none.mosaics.get(none.model.id)).toBeNull();
    await none.close();
  });
});
