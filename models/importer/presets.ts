import type { Manifest, MageConfig, RecommendedSettings } from '#bundle/manifest';

type Networks = Manifest['networks'];
type Title = Manifest['title'];

/** A released size of MAGE with its recommended settings (spec 4.2, 6). */
interface Release {
  readonly letter: string;
  readonly width: number;
  readonly depth: number;
  readonly settings: RecommendedSettings;
}

const BASE: RecommendedSettings = {
  rdmSteps: 250,
  eta: 1,
  steps: 20,
  guidance: 1,
  schedule: 'linear',
  temperature: 6,
};
const LARGE: RecommendedSettings = { ...BASE, guidance: 6, temperature: 11 };

/** MAGE-H was never released: it takes the settings of the nearest size that was. */
const RELEASES: readonly Release[] = [
  { letter: 'B', width: 768, depth: 12, settings: BASE },
  { letter: 'L', width: 1024, depth: 24, settings: LARGE },
  { letter: 'H', width: 1280, depth: 32, settings: LARGE },
];

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
  const release = RELEASES.find(({ width, depth }) => width === mage.width && depth === mage.depth);
  const size = release?.letter ?? `${mage.width}×${mage.depth}`;
  const settings = release?.settings ?? BASE;
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
    known: release !== undefined,
  };
}
