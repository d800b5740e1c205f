import type { Reason } from '../../main/api/reasons.ts';
import { DEFAULT_SETTINGS, type Settings } from '../../main/api/settings.ts';
import type { ModelInfo } from '../../main/api/models.ts';
import type { DoctorCheck } from '../../main/api/studio.ts';

const CLASSES = [
  ['Smileys & emotion', 'スマイリーと感情'],
  ['People & body', '人と体'],
  ['Animals & nature', '動物と自然'],
  ['Food & drink', '食べ物と飲み物'],
  ['Travel & places', '旅行と場所'],
  ['Activities', '活動'],
  ['Objects', '物'],
  ['Symbols', '記号'],
  ['Flags', '旗'],
  ['Anything', 'すべて'],
] as const;
const settings = { rdmSteps: 250, eta: 1, steps: 20, guidance: 4, temperature: 6 } as const;

const ENCODER: Reason = {
  code: 'about-encoder',
  values: { name: 'MoCo v3', width: 384, depth: 12, pixels: 224 },
};
const MAGE: Reason = {
  code: 'about-mage',
  values: { width: 256, depth: 8, decoderWidth: 256, decoderDepth: 4, tokens: 256 },
};
const VQGAN: Reason = {
  code: 'about-vqgan',
  values: { channels: 64, multipliers: '1, 2, 4', codes: 1024, pixels: 128 },
};

/** Models as the studio would list them: one whole, one that lacks a part. */
export const FAKE_MODELS: readonly ModelInfo[] = [
  {
    id: 'starter',
    title: { en: 'Starter', ja: 'スターター' },
    state: 'ready',
    problem: null,
    verified: null,
    folder: '/opt/rcg-studio/models/starter',
    shipped: true,
    hash: 'a'.repeat(64),
    bytes: 94_000_000,
    imageSize: 128,
    classes: CLASSES.map(([en, ja]) => ({ en, ja })),
    unconditionalClass: 9,
    parts: [
      {
        kind: 'encoder',
        present: true,
        about: ENCODER,
        sha256: '9c1f'.repeat(16),
        bytes: 12e6,
      },
      {
        kind: 'rdm',
        present: true,
        about: { code: 'about-rdm-classes', values: { width: 512, depth: 8, classes: 10 } },
        sha256: '41d8'.repeat(16),
        bytes: 18e6,
      },
      {
        kind: 'mage',
        present: true,
        about: MAGE,
        sha256: 'e5a0'.repeat(16),
        bytes: 41e6,
      },
      {
        kind: 'vqgan',
        present: true,
        about: VQGAN,
        sha256: '0b6e'.repeat(16),
        bytes: 23e6,
      },
    ],
    recommended: { ...settings, schedule: 'linear' },
    preview: { ...settings, rdmSteps: 50, steps: 8, guidance: 0, schedule: 'linear' },
    licences: [
      {
        id: 'CC-BY-4.0',
        title: 'CC BY 4.0',
        covers: 'weights',
        text: 'Attribution 4.0 International',
        nonCommercial: false,
      },
    ],
    card: '# Starter\nDraws small emoji-like pictures on white without any label or prompt.',
  },
  {
    id: 'rcg-b',
    title: { en: 'RCG-B, ImageNet 256' },
    state: 'incomplete',
    problem: null,
    verified: null,
    folder: '/home/ada/models/rcg-b',
    shipped: false,
    hash: 'b'.repeat(64),
    bytes: 1_200_000_000,
    imageSize: 256,
    classes: [],
    unconditionalClass: null,
    parts: [
      {
        kind: 'encoder',
        present: true,
        about: ENCODER,
        sha256: '77aa'.repeat(16),
        bytes: 340e6,
      },
      { kind: 'rdm', present: false, about: null, sha256: null, bytes: 0 },
      {
        kind: 'mage',
        present: true,
        about: MAGE,
        sha256: '12ab'.repeat(16),
        bytes: 700e6,
      },
      {
        kind: 'vqgan',
        present: true,
        about: VQGAN,
        sha256: '34cd'.repeat(16),
        bytes: 160e6,
      },
    ],
    recommended: {
      rdmSteps: 250,
      eta: 1,
      steps: 20,
      guidance: 1,
      temperature: 6,
      schedule: 'linear',
    },
    preview: { rdmSteps: 50, eta: 1, steps: 8, guidance: 0, temperature: 6, schedule: 'linear' },
    licences: [],
    card: null,
  },
];

export const FAKE_SETTINGS: Settings = {
  ...DEFAULT_SETTINGS,
  language: 'en',
  theme: 'dark',
  chunk: 8,
  previews: 'every',
};

export const FAKE_DOCTOR: readonly DoctorCheck[] = [
  { code: 'disk', state: 'warn', values: { free: 9_800_000_000 } },
  { code: 'cpu', state: 'ok', values: { threads: 16, name: 'AVX2' } },
  { code: 'memory', state: 'ok', values: { total: 64e9, free: 58e9 } },
];
