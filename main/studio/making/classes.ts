import { StudioError } from '#api/errors';
import type { Manifest } from '#bundle/manifest';
import { wholeNumber, type Given } from './numbers.ts';

/** Names that an error lists at most. */
const SHOWN_NAMES = 12;

/**
 * The label of a class given by name (any language, upper or lower case, or one of several synonyms
 * set apart by commas) or by index. Names come first, so that a class called "7" can be had.
 */
export function findClass(given: Given, manifest: Manifest): number {
  const labels = manifest.networks.rdm?.classes ?? 0;
  if (labels === 0) {
    throw wrong(`Model ${manifest.id} was trained without classes; leave class out.`);
  }
  const wanted = fold(String(given));
  const byName = manifest.classes.findIndex((name) => namesOf(name).includes(wanted));
  if (byName >= 0 && byName < labels) return byName;
  if (typeof given === 'number' || /^[+-]?[\d.]+$/.test(wanted)) {
    return wholeNumber('class', given, { min: 0, max: labels - 1 });
  }
  throw wrong(`Model ${manifest.id} has no class ${String(given)}: ${suggest(wanted, manifest)}`);
}

type ClassName = Manifest['classes'][number];

/** Every form a class goes by, folded. */
function namesOf(name: ClassName): readonly string[] {
  return [name.en, name.ja ?? name.en].flatMap((text) => [text, ...text.split(',')].map(fold));
}

function fold(text: string): string {
  return text.normalize('NFKC').trim().toLowerCase();
}

/** Names that contain what was typed come first. */
function suggest(wanted: string, manifest: Manifest): string {
  const named = manifest.classes.map((name, index) => ({ name, text: `${index} ${name.en}` }));
  const near = named.filter(
    ({ name }) => wanted !== '' && namesOf(name).some((n) => n.includes(wanted)),
  );
  const shown = (near.length > 0 ? near : named).slice(0, SHOWN_NAMES);
  if (shown.length === 0) {
    return `its classes have no names; give an index from 0 to ${(manifest.networks.rdm?.classes ?? 1) - 1}.`;
  }
  const more = shown.length < named.length ? ', …' : '';
  return `choose ${near.length > 0 ? 'for example' : 'among'} ${shown.map(({ text }) => text).join(', ')}${more}.`;
}

function wrong(message: string): StudioError {
  return new StudioError('invalid-request', message, { field: 'class' });
}
