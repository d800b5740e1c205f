import type { ModelInfo } from '#api/models';
import type { I18n } from '../state/i18n.svelte.ts';

export type Tone = 'ok' | 'warn' | 'danger' | 'plain';

/** The short names of the parts: the paper's own. */
export function partName(i18n: I18n, kind: string): string {
  return i18n.lookup(`part.${kind}`) ?? kind;
}

/** Parts that a model lacks. */
function missingParts(model: ModelInfo) {
  return model.parts.filter((part) => !part.present).map((part) => part.kind);
}

/** What state a model is in: words and their tone. */
export function modelState(
  i18n: I18n,
  model: ModelInfo,
): { readonly tone: Tone; readonly text: string } {
  const { t } = i18n;
  const { verified } = model;
  if (model.state === 'damaged') return { tone: 'danger', text: t('models.state.damaged') };
  if (verified !== null && verified.problems.length > 0) {
    return { tone: 'danger', text: t('models.state.changed') };
  }
  const missing = missingParts(model);
  if (missing.length > 0) {
    const parts = missing.map((kind) => partName(i18n, kind)).join(', ');
    return { tone: 'warn', text: t('models.state.missing', { count: missing.length, parts }) };
  }
  if (verified !== null) {
    return { tone: 'ok', text: t('models.state.verified', { time: i18n.date(verified.at) }) };
  }
  return { tone: 'plain', text: t('models.state.ready') };
}

/** The line under a model's name. */
export function modelFacts(i18n: I18n, model: ModelInfo): string {
  const { t } = i18n;
  const classes =
    model.classes.length > 0 ? [t('models.classes', { count: model.classes.length })] : [];
  return [
    ...(model.imageSize > 0 ? [t('models.pixels', { size: model.imageSize })] : []),
    ...classes,
    ...(model.bytes > 0 ? [i18n.bytes(model.bytes)] : []),
  ].join(' · ');
}
