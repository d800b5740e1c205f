import type { Manifest, MageConfig, RecommendedSettings } from '#bundle/manifest';
import { publishedSize } from '#networks/mage';

type Networks = Manifest['networks'];
type Title = Manifest['title'];

const BASE: RecommendedSettings = {
  rdmSteps: 250,
  eta: 1,
  steps: 20,
  guidance: 1,
  schedule: 'linear',
  temperature: 6,
};
const LARGE: RecommendedSettings = { ...BASE, guidance: 6, temperature: 11 };

/** What the authors recommend (spec 6). MAGE-H was never released: it takes those of the nearest. */
const SETTINGS = { B: BASE, L: LARGE, H: LARGE } as const;

/** What is known of a model beyond its weights, before any recipe file has its say. */
export interface Preset {
  readonly id: string;
  readonly title: Title;
  readonly recommended: RecommendedSettings;
  readonly preview: RecommendedSettings;
  /** False: the settings are a guess. */
  readonly known: boolean;
}

/** Faster settings that give the idea of a picture. */
export function previewOf(settings: RecommendedSettings): RecommendedSettings {
  return {
    ...settings,
    rdmSteps: Math.min(settings.rdmSteps, 50),
    steps: Math.min(settings.steps, 8),
  };
}

/** Id, title and settings of a model by its sizes. */
export function presetOf(mage: MageConfig, rdm: Networks['rdm']): Preset {
  const letter = publishedSize(mage)?.letter;
  const size = letter ?? `${mage.width}×${mage.depth}`;
  const settings = letter === undefined ? BASE : SETTINGS[letter];
  const labels = rdm && rdm.classes > 0;
  const kind = rdm ? (labels ? '-class' : '') : '-without-rdm';
  const [en, ja] = rdm
    ? labels
      ? [' with classes', '（クラス付き）']
      : ['', '']
    : [' without RDM', '（RDM なし）'];
  return {
    id: `rcg-${size.toLowerCase().replace('×', 'x')}${kind}`,
    title: { en: `RCG-${size}${en}`, ja: `RCG-${size}${ja}` },
    recommended: settings,
    preview: previewOf(settings),
    known: letter !== undefined,
  };
}
