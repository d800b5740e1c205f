import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { insertTexts, isPng, readText } from '#pictures/png';
import { failure } from '../studio/helpers.ts';

const keyword = 'rcg-studio';

async function smallPng(): Promise<Uint8Array> {
  return sharp({ create: { width: 3, height: 2, channels: 3, background: '#123456' } })
    .png()
    .toBuffer();
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const bytes = Buffer.alloc(body.length + 8);
  bytes.writeUInt32BE(data.length, 0);
  bytes.set(body, 4);
  bytes.writeUInt32BE(crc32(body), body.length + 4);
  return bytes;
}

/** The PNG with a chunk after its header (8 bytes signature, 25 bytes IHDR). */
function withChunk(png: Uint8Array, ...chunks: Uint8Array[]): Uint8Array {
  return Buffer.concat([png.subarray(0, 33), ...chunks, png.subarray(33)]);
}

describe('texts in a PNG', () => {
  test('any text comes back, and the picture is as before', async () => {
    const png = await smallPng();
    const pixels = await sharp(png).raw().toBuffer();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 200 }), async (text) => {
        fc.pre(text.isWellFormed());
        const written = insertTexts(png, [{ keyword, text }]);
        expect(readText(written, keyword, 'a.png')).toBe(text);
        expect(await sharp(written).raw().toBuffer()).toEqual(pixels);
      }),
      { numRuns: 20 },
    );
  });

  test('several keywords live side by side, and a second insert replaces', async () => {
    const once = insertTexts(await smallPng(), [
      { keyword, text: 'first' },
      { keyword: 'Software', text: 'x' },
    ]);
    const twice = insertTexts(once, [{ keyword, text: 'second' }]);
    expect(readText(twice, keyword, 'a.png')).toBe('second');
    expect(readText(twice, 'Software', 'a.png')).toBe('x');
    expect(readText(twice, 'Author', 'a.png')).toBeNull();
  });

  test('a PNG without the text has none', async () => {
    const png = await smallPng();
    expect(isPng(png)).toBe(true);
    expect(readText(png, keyword, 'a.png')).toBeNull();
  });

  test('the standard form is read: a language and a translated keyword', async () => {
    const data = Buffer.from(`${keyword}\0\0\0en\0recipe\0{}`, 'latin1');
    expect(readText(withChunk(await smallPng(), chunk('iTXt', data)), keyword, 'a')).toBe('{}');
  });
});

describe('hostile PNGs are refused', () => {
  const head = `${keyword}\0\0\0\0\0`;
  const cases: [string, (png: Uint8Array) => Uint8Array, RegExp][] = [
    ['empty', () => new Uint8Array(), /not a PNG/],
    ['a text file', () => Buffer.from('hello, I am a picture'), /not a PNG/],
    ['only the signature', (png) => png.subarray(0, 8), /cut short/],
    ['cut in a chunk', (png) => png.subarray(0, png.length - 20), /cut short|claims/],
    ['without its end', (png) => png.subarray(0, png.length - 12), /cut short/],
    [
      'a chunk of 4 GB',
      (png) => withChunk(png, Buffer.from('ffffffff69545874', 'hex')),
      /claims 4294967295 bytes/,
    ],
    [
      'a wrong checksum',
      (png) => {
        const bad = chunk('iTXt', Buffer.from(`${head}{}`));
        bad[bad.length - 1] = (bad.at(-1) ?? 0) ^ 1;
        return withChunk(png, bad);
      },
      /checksum/,
    ],
    [
      'a compressed text, which could be a bomb',
      (png) => withChunk(png, chunk('iTXt', Buffer.from(`${keyword}\0\x01\0\0\0xyz`))),
      /compressed/,
    ],
    [
      'the text twice',
      (png) => {
        const text = chunk('iTXt', Buffer.from(`${head}{}`));
        return withChunk(png, text, text);
      },
      /twice/,
    ],
    [
      'bytes that are no UTF-8',
      (png) =>
        withChunk(png, chunk('iTXt', Buffer.concat([Buffer.from(head), Buffer.from([0xff])]))),
      /UTF-8/,
    ],
    [
      'a text of 2 MB',
      (png) =>
        withChunk(png, chunk('iTXt', Buffer.concat([Buffer.from(head), Buffer.alloc(1 << 21)]))),
      /2097152 bytes long/,
    ],
    [
      'a head without end',
      (png) => withChunk(png, chunk('iTXt', Buffer.from(`${keyword}\0\0\0en`))),
      /no end/,
    ],
    ['a second header', (png) => withChunk(png, png.subarray(8, 33)), /header/],
    [
      'no header first',
      (png) => Buffer.concat([png.subarray(0, 8), chunk('tEXt', Buffer.from('a\0b'))]),
      /header/,
    ],
  ];
  test.each(cases)('%s', async (_, damage, message) => {
    const bad = damage(await smallPng());
    expect(await failure(() => readText(bad, keyword, 'bad.png'))).toMatchObject({
      code: 'picture-unreadable',
      message: expect.stringMatching(message) as string,
    });
  });

  test('no damage crashes the reader', async () => {
    const png = insertTexts(await smallPng(), [{ keyword, text: '{"version":1}' }]);
    fc.assert(
      fc.property(fc.nat(png.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bad = Uint8Array.from(png);
        bad[at] = (bad[at] ?? 0) ^ flip;
        expect(() => readText(bad, keyword, 'a.png')).toThrow(/a\.png/);
      }),
    );
  });
});
