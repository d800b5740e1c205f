import type { z } from 'zod';
import type { Reason } from './reasons.ts';
import type { guidanceSchedule } from './recipe.ts';

/** The networks that a model can have. */
export type PartKind = 'encoder' | 'rdm' | 'mage' | 'vqgan';

/** A model of the library, or one that is damaged. */
export interface ModelInfo {
  readonly id: string;
  readonly title: { readonly en: string; readonly ja?: string | undefined };
  readonly state: 'ready' | 'incomplete' | 'damaged';
  /** Why it is damaged. */
  readonly problem: Reason | null;
  /** What verifying it last showed; with problems it is blocked. Null when that was never done. */
  readonly verified: { readonly at: number; readonly problems: readonly Reason[] } | null;
  /** Where its files are. */
  readonly folder: string;
  readonly shipped: boolean;
  readonly hash: string;
  readonly bytes: number;
  readonly imageSize: number;
  readonly classes: readonly { readonly en: string; readonly ja?: string | undefined }[];
  readonly unconditionalClass: number | null;
  readonly parts: readonly {
    readonly kind: PartKind;
    readonly present: boolean;
    /** Its sizes; null where it is not there. */
    readonly about: Reason | null;
    readonly sha256: string | null;
    readonly bytes: number;
  }[];
  readonly recommended: RecommendedSettings;
  readonly preview: RecommendedSettings;
  readonly licences: readonly {
    readonly id: string;
    readonly title: string;
    readonly covers: string;
    readonly text: string;
    readonly nonCommercial: boolean;
  }[];
  /** The model card, Markdown, or null. */
  readonly card: string | null;
}

export interface RecommendedSettings {
  readonly rdmSteps: number;
  readonly eta: number;
  readonly steps: number;
  readonly guidance: number;
  readonly schedule: z.infer<typeof guidanceSchedule>;
  readonly temperature: number;
}
