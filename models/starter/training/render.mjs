// Renders permissively licensed emoji sets to 128 x 128 RGB pictures on white, for training.
//
// Needs npm packages that are no dependencies of the product; install them where Node finds them:
//   npm install --no-save sharp @iconify-json/noto @iconify-json/noto-v1 \
//     @iconify-json/fluent-emoji @iconify-json/fluent-emoji-flat @iconify-json/twemoji \
//     @iconify-json/emojione @iconify-json/fxemoji
//
// Usage: node render.mjs [PREFIX]     (default: emoji128, in the current folder)
// Writes PREFIX.bin, lossless WebP pictures one after another, and PREFIX.json:
//   { size, groups, items: [[offset, length, group, 'set/name'], ...] }

import fs from 'node:fs';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';

const require = createRequire(import.meta.url);

const SIZE = 128;
const WORKERS = 2;
const MARGIN = 0.04;

const SETS = [
  'noto',
  'noto-v1',
  'fluent-emoji',
  'fluent-emoji-flat',
  'twemoji',
  'emojione',
  'fxemoji',
];

/** The sets that name groups; where they disagree, the last one wins. */
const GROUP_SOURCES = ['fxemoji', 'emojione', 'noto-v1', 'fluent-emoji-flat', 'twemoji', 'noto'];

const GROUPS = [
  'smileys',
  'people',
  'animals',
  'food',
  'travel',
  'activities',
  'objects',
  'symbols',
  'flags',
];

/** The index in GROUPS of each set's own categories; -1 leaves a category out. */
const GROUP_OF_CATEGORY = {
  'Smileys & Emotion': 0,
  'People & Body': 1,
  People: 1,
  'Animals & Nature': 2,
  Nature: 2,
  'Food & Drink': 3,
  Food: 3,
  'Travel & Places': 4,
  Travel: 4,
  Places: 4,
  Activities: 5,
  Objects: 6,
  Symbols: 7,
  Flags: 8,
  Modifiers: -1,
};
const LEFT_OUT = -1;
const SYMBOLS = 7;

const TONES = ['light', 'medium', 'dark'];

/** The group of every emoji name that some set has a category for. */
function readGroups() {
  const groups = new Map();
  for (const set of GROUP_SOURCES) {
    const { categories } = require(`@iconify-json/${set}/metadata.json`);
    for (const [category, names] of Object.entries(categories || {})) {
      for (const name of names) groups.set(name, GROUP_OF_CATEGORY[category] ?? LEFT_OUT);
    }
  }
  return groups;
}

/** Of the variants by skin tone, keeps a single one per emoji and set, by its name's length. */
function isWanted(set, name) {
  const toned = /(light|medium|dark)(-|$)|skin|-tone/.test(name);
  if (!toned) return true;
  if (!/-(medium|dark|light)-skin-tone$/.test(name)) return false;
  if (/medium-(light|dark)-skin/.test(name)) return false;
  const tone = TONES.findIndex((one) => name.endsWith(`-${one}-skin-tone`));
  return (name.length * 7 + set.length) % 3 === tone;
}

/** Every picture to render: its set, name and group. */
function listJobs() {
  const groups = readGroups();
  const jobs = [];
  for (const set of SETS) {
    const { icons } = require(`@iconify-json/${set}/icons.json`);
    for (const name of Object.keys(icons)) {
      if (!isWanted(set, name)) continue;
      const plain = name.replace(/-(light|medium|dark)-skin-tone$/, '');
      const group = groups.get(name) ?? groups.get(plain) ?? SYMBOLS;
      if (group !== LEFT_OUT) jobs.push({ set, name, group });
    }
  }
  return jobs;
}

/** Renders jobs on worker threads; the pictures come back in no order. */
async function renderAll(jobs) {
  const pictures = [];
  const runWorker = (_, worker) =>
    new Promise((resolve, reject) => {
      const mine = jobs.filter((_job, i) => i % WORKERS === worker);
      const thread = new Worker(new URL(import.meta.url), { workerData: { jobs: mine } });
      thread.on('message', (picture) => {
        pictures.push(picture);
        if (pictures.length % 2000 === 0) console.log(pictures.length);
      });
      thread.on('error', reject);
      thread.on('exit', resolve);
    });
  await Promise.all(Array.from({ length: WORKERS }, runWorker));
  return pictures;
}

/** Writes pictures in the order of their set and name, and the index. */
function writePictures(pictures, prefix) {
  pictures.sort((a, b) => (a.set + a.name < b.set + b.name ? -1 : 1));
  const file = fs.openSync(`${prefix}.bin`, 'w');
  const items = [];
  let offset = 0;
  for (const { set, name, group, webp } of pictures) {
    const bytes = Buffer.from(webp);
    fs.writeSync(file, bytes);
    items.push([offset, bytes.length, group, `${set}/${name}`]);
    offset += bytes.length;
  }
  fs.closeSync(file);
  fs.writeFileSync(`${prefix}.json`, JSON.stringify({ size: SIZE, groups: GROUPS, items }));
  console.log('images', items.length, 'bytes', offset);
}

/** An icon as an SVG document: square, centred, with a margin, at twice the final size. */
function toSvg(icon, set) {
  const width = icon.width ?? set.width ?? 16;
  const height = icon.height ?? set.height ?? 16;
  const side = Math.max(width, height);
  const margin = side * MARGIN;
  const x = (icon.left ?? 0) - (side - width) / 2 - margin;
  const y = (icon.top ?? 0) - (side - height) / 2 - margin;
  const edge = side + 2 * margin;
  return (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ' +
    `viewBox="${x} ${y} ${edge} ${edge}" width="${2 * SIZE}" height="${2 * SIZE}">` +
    `${icon.body}</svg>`
  );
}

/** The work of one thread: renders its jobs and posts each picture. */
async function renderJobs(jobs) {
  const { default: sharp } = await import('sharp');
  sharp.concurrency(1);
  for (const { set, name, group } of jobs) {
    const icons = require(`@iconify-json/${set}/icons.json`);
    const svg = Buffer.from(toSvg(icons.icons[name], icons));
    try {
      const webp = await sharp(svg)
        .resize(SIZE, SIZE, { kernel: 'mitchell' })
        .flatten({ background: '#fff' })
        .removeAlpha()
        .webp({ lossless: true, effort: 4 })
        .toBuffer();
      parentPort.postMessage({ set, name, group, webp });
    } catch (error) {
      console.error(set, name, error.message);
    }
  }
}

async function main() {
  const { positionals } = parseArgs({ allowPositionals: true });
  const [prefix = 'emoji128'] = positionals;
  const jobs = listJobs();
  const counts = GROUPS.map((name, group) => {
    const count = jobs.filter((job) => job.group === group).length;
    return `${name}:${count}`;
  });
  console.log('jobs', jobs.length, counts.join(' '));
  writePictures(await renderAll(jobs), prefix);
}

if (isMainThread) {
  await main();
} else {
  await renderJobs(workerData.jobs);
}
