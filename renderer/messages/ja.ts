import type { en } from './en.ts';
import { common } from './ja/common.ts';
import { details } from './ja/details.ts';
import { errors } from './ja/errors.ts';
import { gallery } from './ja/gallery.ts';
import { generate } from './ja/generate.ts';
import { models } from './ja/models.ts';
import { reasons } from './ja/reasons.ts';
import { settings } from './ja/settings.ts';
import { shell } from './ja/shell.ts';
import { transfer } from './ja/transfer.ts';
import type { Translation } from './types.ts';

/** The Japanese catalogue; the type makes a missing key an error. */
export const ja: Translation<typeof en> = {
  ...common,
  ...errors,
  ...shell,
  ...generate,
  ...gallery,
  ...details,
  ...models,
  ...reasons,
  ...settings,
  ...transfer,
};
