import { z } from 'zod';
import { LIMITS, requestedTarget } from './recipe.ts';
import { generateSettings } from './jobs.ts';

/** Presets of a library. */
export const MOST_PRESETS = 200;
/** Longest edges that a thumbnail may have, in pixels; the first is what a studio begins with. */
export const THUMBNAIL_EDGES = [256, 512] as const;
export type ThumbnailEdge = (typeof THUMBNAIL_EDGES)[number];

/** Versioned settings of the studio; every one has a default. */
export const settingsSchema = z.strictObject({
  language: z.enum(['system', 'en', 'ja']),
  theme: z.enum(['system', 'dark', 'light']),
  textSize: z.int().min(80).max(200),
  reduceMotion: z.enum(['system', 'on']),
  model: z.string().max(64),
  target: requestedTarget,
  chunk: z.int().min(LIMITS.chunk.min).max(LIMITS.chunk.max),
  previews: z.enum(['off', 'every4', 'every']),
  binDays: z.int().min(1).max(3650),
  backups: z.int().min(1).max(100),
  idleMinutes: z.int().min(0).max(60),
  /** Of thumbnails that are kept; those of another edge are made anew as they are looked at. */
  thumbnailEdge: z.literal([...THUMBNAIL_EDGES]),
  /** Whether pictures that leave the library keep their recipes. */
  exportMetadata: z.enum(['full', 'none', 'ask']),
  singleKeys: z.boolean(),
  /** Command id to key combination, for those that differ from the default. */
  shortcuts: z.record(z.string().max(64), z.string().max(64)),
  presets: z
    .array(z.strictObject({ name: z.string().trim().min(1).max(60), settings: generateSettings }))
    .max(MOST_PRESETS),
});
export type Settings = z.infer<typeof settingsSchema>;

/** What a studio begins with. */
export const DEFAULT_SETTINGS: Settings = {
  language: 'system',
  theme: 'system',
  textSize: 100,
  reduceMotion: 'system',
  model: 'starter',
  target: 'cpu',
  chunk: 4,
  previews: 'every4',
  binDays: 30,
  backups: 10,
  idleMinutes: 5,
  thumbnailEdge: 256,
  exportMetadata: 'full',
  singleKeys: true,
  shortcuts: {},
  presets: [],
};
