import { REASONS } from '#api/reasons';
import { common } from './en/common.ts';
import { details } from './en/details.ts';
import { errors } from './en/errors.ts';
import { gallery } from './en/gallery.ts';
import { generate } from './en/generate.ts';
import { models } from './en/models.ts';
import { settings } from './en/settings.ts';
import { shell } from './en/shell.ts';
import { transfer } from './en/transfer.ts';

/** The English catalogue: the list of all keys, and of the values that each of them takes. */
export const en = {
  ...common,
  ...errors,
  ...shell,
  ...generate,
  ...gallery,
  ...details,
  ...models,
  ...REASONS,
  ...settings,
  ...transfer,
} as const;
