import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import { checkOurs, encodePng, readPicture, readPngText, writePicture } from '#pictures/pictures';
import { failure, temporaryFolder } from '../studio/helpers.ts';

const RED = { r: 255, g: 0, b: 0 };
const BLUE = { r: 0, g: 0, b: 255 };

/** Left half red, right half blue. */
function twoColours(width = 16, height = 8): Sharp {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) data[i * 3 + (i % width < width / 2 ? 0 : 2)] = 255;
  return sharp(data, { raw: { width, height, channels: 3 } });
}

async function save(bytes: Uint8Array, name = 'picture'): Promise<string> {
  const path = join(await temporaryFolder(), name);
  await writeFile(path, bytes);
  return path;
}

/** The colour of a pixel. */
async function read(bytes: Uint8Array): Promise<{
  size: string;
  at: (x: number, y: number) => number[];
}> {
  const { width, height, data } = await readPicture(await save(bytes));
  expect(data.length).toBe(width * height * 3);
  return {
    size: `${width}×${height}`,
    at: (x, y) => [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)],
  };
}

function near(colour: readonly number[], expected: readonly number[], tolerance = 12): void {
  colour.forEach((value, i) => {
    expect(Math.abs(value - (expected[i] ?? 0)), `${colour} near ${expected}`).toBeLessThanOrEqual(
      tolerance,
    );
  });
}

describe('pictures of all kinds are read as upright 8-bit RGB', () => {
  test.each(['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const)('%s', async (format) => {
    const picture = await read(await twoColours().toFormat(format).toBuffer());
    expect(picture.size).toBe('16×8');
    near(picture.at(1, 4), [255, 0, 0], 30);
    near(picture.at(14, 4), [0, 0, 255], 30);
  });

  test('every EXIF orientation', async () => {
    for (let orientation = 1; orientation <= 8; orientation++) {
      const jpeg = await twoColours().jpeg().withMetadata({ orientation }).toBuffer();
      const picture = await read(jpeg);
      const turned = orientation >= 5;
      expect([orientation, picture.size]).toEqual([orientation, turned ? '8×16' : '16×8']);
      const redFirst = [1, 4, 5, 6].includes(orientation);
      near(picture.at(1, 1), redFirst ? [255, 0, 0] : [0, 0, 255], 30);
    }
  });

  test('CMYK', async () => {
    const jpeg = await twoColours().toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
    expect((await sharp(jpeg).metadata()).space).toBe('cmyk');
    const picture = await read(jpeg);
    // Print has no pure red; what matters is that it is neither inverted nor swapped.
    const [r = 0, g = 0, b = 0] = picture.at(1, 4);
    expect(r > 180 && g < 90 && b < 90).toBe(true);
  });

  test('16 bits a channel, with and without alpha', async () => {
    const data = Uint16Array.from([65535, 32768, 257, 0]);
    const raw = { width: 1, height: 1 };
    const rgb = sharp(data.subarray(0, 3), { raw: { ...raw, channels: 3 } });
    near(
      (await read(await rgb.toColourspace('rgb16').png().toBuffer())).at(0, 0),
      [255, 128, 1],
      1,
    );
    const rgba = sharp(data, { raw: { ...raw, channels: 4 } });
    near(
      (await read(await rgba.toColourspace('rgb16').png().toBuffer())).at(0, 0),
      [255, 255, 255],
      1,
    );
  });

  test('greyscale, 8 and 16 bits, with alpha', async () => {
    const grey = sharp(Uint8Array.of(90), { raw: { width: 1, height: 1, channels: 1 } });
    near(
      (await read(await grey.clone().toColourspace('b-w').png().toBuffer())).at(0, 0),
      [90, 90, 90],
      1,
    );
    near(
      (await read(await grey.clone().toColourspace('grey16').png().toBuffer())).at(0, 0),
      [90, 90, 90],
      1,
    );
    const half = sharp(Uint8Array.of(0, 128), { raw: { width: 1, height: 1, channels: 2 } });
    near(
      (await read(await half.toColourspace('b-w').png().toBuffer())).at(0, 0),
      [127, 127, 127],
      2,
    );
  });

  test('transparency is laid on white', async () => {
    const background = { ...RED, alpha: 0 };
    const clear = sharp({ create: { width: 2, height: 2, channels: 4, background } });
    expect((await read(await clear.png().toBuffer())).at(0, 0)).toEqual([255, 255, 255]);
  });

  test.each(['gif', 'webp'] as const)('of an animated %s the first frame', async (format) => {
    const frames = await Promise.all(
      [RED, BLUE, { r: 0, g: 255, b: 0 }].map((background) =>
        sharp({ create: { width: 4, height: 4, channels: 3, background } })
          .png()
          .toBuffer(),
      ),
    );
    const animated = await sharp(frames, { join: { animated: true } })
      .toFormat(format)
      .toBuffer();
    expect((await sharp(animated, { pages: -1 }).metadata()).pages).toBe(3);
    const picture = await read(animated);
    expect(picture.size).toBe('4×4');
    near(picture.at(2, 2), [255, 0, 0], 12);
  });

  test('one pixel', async () => {
    const png = await sharp({ create: { width: 1, height: 1, channels: 3, background: BLUE } })
      .png()
      .toBuffer();
    expect((await read(png)).at(0, 0)).toEqual([0, 0, 255]);
  });
});

describe('what is no picture is refused in words', () => {
  test.each<[string, Uint8Array]>([
    ['an empty file', new Uint8Array()],
    ['a text', Buffer.from('hello')],
    ['a PDF', Buffer.from('%PDF-1.7\n')],
    ['an SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')],
    ['a head without a body', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')],
    ['a JPEG head and noise', Buffer.concat([Buffer.from('ffd8ffe0', 'hex'), Buffer.alloc(99, 7)])],
  ])('%s', async (_, bytes) => {
    const path = await save(bytes, 'odd.jpg');
    expect(await failure(() => readPicture(path))).toMatchObject({
      code: 'picture-unreadable',
      message: expect.stringMatching(/odd\.jpg.*[Gg]ive a/s) as string,
    });
  });

  test.each(['jpeg', 'png'] as const)('a truncated %s', async (format) => {
    const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * i * 31) % 256);
    const whole = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
      .toFormat(format)
      .toBuffer();
    const path = await save(whole.subarray(0, whole.length / 2));
    expect((await failure(() => readPicture(path))).code).toBe('picture-unreadable');
  });

  test('30,000 pixels on a side, refused before they are decoded', async () => {
    const wide = await sharp({ create: { width: 30_000, height: 2, channels: 3, background: RED } })
      .png()
      .toBuffer();
    const { code, message } = await failure(async () => readPicture(await save(wide)));
    expect([code, message]).toEqual([
      'picture-unreadable',
      expect.stringMatching(/30000 × 2 pixels.*20000 on a side/),
    ]);
  });

  test('a bomb: a small file of more than 100 megapixels', async () => {
    const header = await sharp({ create: { width: 8, height: 8, channels: 3, background: RED } })
      .png()
      .toBuffer();
    header.writeUInt32BE(19_999, 16);
    header.writeUInt32BE(19_999, 20);
    header.writeUInt32BE(crc32(header.subarray(12, 29)), 29);
    expect((await failure(async () => readPicture(await save(header)))).message).toMatch(
      /100 million/,
    );
  });

  test('a missing file and a folder', async () => {
    const folder = await temporaryFolder();
    expect((await failure(() => readPicture(join(folder, 'no.png')))).message).toMatch(
      /does not exist/,
    );
    expect((await failure(() => readPicture(folder))).message).toMatch(/not a file/);
  });
});

describe('writing', () => {
  const image = { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 250, 251, 252) };
  const texts = [{ keyword: 'Software', text: 'rcg-studio 1.2.3' }];

  test('the same pixels give the same bytes, and come back exactly', async () => {
    const once = await encodePng(image, texts);
    expect(await encodePng(image, texts)).toEqual(once);
    expect(await readPicture(await save(once))).toEqual(image);
    expect(await readPngText(await save(once))).toEqual({
      recipe: null,
      software: 'rcg-studio 1.2.3',
    });
  });

  test('a file of the same bytes is left alone, another is replaced', async () => {
    const path = join(await temporaryFolder(), 'a.png');
    const png = await encodePng(image, texts);
    expect(await writePicture(path, png)).toBe('new');
    expect(await writePicture(path, png)).toBe('same');
    expect(await writePicture(path, await encodePng(image, []))).toBe('replaced');
  });

  test('only a file of ours may be replaced', async () => {
    await checkOurs(join(await temporaryFolder(), 'nothing-there.png'));
    await checkOurs(await save(await encodePng(image, texts)));
    for (const foreign of [await encodePng(image, []), Buffer.from('notes'), Buffer.from('')]) {
      const path = await save(foreign);
      expect(await failure(() => checkOurs(path))).toMatchObject({
        code: 'file-unavailable',
        field: 'out',
        message: expect.stringMatching(/already there/) as string,
      });
    }
    expect(await failure(async () => checkOurs(await temporaryFolder()))).toMatchObject({
      field: 'out',
      message: expect.stringMatching(/already there/) as string,
    });
  });
});
