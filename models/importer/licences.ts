import type { Manifest } from '#bundle/manifest';
import { printable } from '#checkpoint/errors';

type Licence = Manifest['licences'][number];

const MIT_TEXT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

const RCG_MIT: Licence = {
  id: 'MIT',
  title: 'MIT License',
  covers: 'RCG and MAGE, code and networks',
  text:
    `MIT License\n\nCopyright (c) 2023 Tianhong Li\n\n${MIT_TEXT}\n\n` +
    'The authors state no separate licence for the released weights.',
  nonCommercial: false,
};

/** A summary of CC-BY-NC-4.0, with the link to what binds. */
function nonCommercialText(authors: string): string {
  return (
    'You may copy, share and adapt the material for non-commercial purposes only, provided that you ' +
    `give credit to its authors${authors}, name this licence and say what you changed. ` +
    'You may not add terms that keep others from doing what the licence permits. The material comes ' +
    'without warranty. This is a summary; what binds is the legal code of the licence:\n' +
    'https://creativecommons.org/licenses/by-nc/4.0/legalcode'
  );
}

const MOCO: Licence = {
  id: 'CC-BY-NC-4.0',
  title: 'Creative Commons Attribution-NonCommercial 4.0 International',
  covers: 'MoCo v3 encoder, code and weights, which every RDM and MAGE checkpoint embeds',
  text: `${nonCommercialText(' (Facebook AI Research)')}\n\nStated at https://github.com/facebookresearch/moco-v3/blob/main/LICENSE`,
  nonCommercial: true,
};

const APACHE_ENCODER: Licence = {
  id: 'Apache-2.0',
  title: 'Apache License 2.0',
  covers: 'Encoder (DINO, iBOT or DeiT), code and weights',
  text:
    'You may use, copy, change and distribute the material, also commercially, provided that you keep ' +
    'its notices, pass this licence on and say what you changed. It grants the patent rights needed ' +
    'for that and comes without warranty. This is a summary; what binds is the text of the licence:\n' +
    'https://www.apache.org/licenses/LICENSE-2.0',
  nonCommercial: false,
};

const IMAGENET: Licence = {
  id: 'LicenseRef-ImageNet',
  title: 'ImageNet terms of access',
  covers: 'The pictures that these weights were trained on',
  text:
    'The released weights were trained on ImageNet, whose terms grant access to the pictures for ' +
    'non-commercial research and education only, at the risk of whoever uses them, and give no ' +
    'rights in the pictures themselves, which belong to many owners. This is a summary; the terms:\n' +
    'https://www.image-net.org/download.php',
  nonCommercial: true,
};

/** Licences that a model card can name, by SPDX id in lower case. */
const CARD_LICENCES: Readonly<Record<string, Omit<Licence, 'covers'>>> = {
  'cc-by-4.0': {
    id: 'CC-BY-4.0',
    title: 'Creative Commons Attribution 4.0 International',
    text:
      'You may copy, share and adapt the material, also commercially, provided that you give credit ' +
      'to its authors, name this licence and say what you changed. You may not add terms that keep ' +
      'others from doing what the licence permits. The material comes without warranty. This is a ' +
      'summary; what binds is the legal code of the licence:\n' +
      'https://creativecommons.org/licenses/by/4.0/legalcode',
    nonCommercial: false,
  },
  'cc-by-nc-4.0': {
    id: MOCO.id,
    title: MOCO.title,
    text: nonCommercialText(''),
    nonCommercial: true,
  },
  'cc0-1.0': {
    id: 'CC0-1.0',
    title: 'Creative Commons Zero 1.0 Universal',
    text:
      'The authors have waived their rights as far as the law allows: use the material as you like. ' +
      'It comes without warranty. This is a summary; what binds is the legal code:\n' +
      'https://creativecommons.org/publicdomain/zero/1.0/legalcode',
    nonCommercial: false,
  },
  mit: {
    id: 'MIT',
    title: 'MIT License',
    text: `MIT License\n\n${MIT_TEXT}`,
    nonCommercial: false,
  },
  'apache-2.0': {
    id: APACHE_ENCODER.id,
    title: APACHE_ENCODER.title,
    text: APACHE_ENCODER.text,
    nonCommercial: false,
  },
};

/** Read of the card's word for its licence: a name, and perhaps a comment. */
const MAX_VALUE = 1024;

/**
 * What the front matter of a model card gives as `license`, or null. Front matter is the part
 * between two lines of three dashes at the very beginning.
 * @internal
 */
export function cardLicence(card: string): string | null {
  const matter = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)\r?\n---[ \t]*(\r?\n|$)/.exec(card)?.[1];
  if (matter === undefined) return null;
  const value = /^licen[sc]e:[ \t]*(.*)$/m.exec(matter)?.[1] ?? '';
  // Cut first: looking for a comment takes the square of the blanks before it.
  const bare = value
    .slice(0, MAX_VALUE)
    .replace(/\s+#.*$/, '')
    .replace(/^["']|["']\s*$/g, '')
    .trim();
  return bare === '' ? null : bare;
}

/**
 * The licences of a model: what its card names, or else those of the published weights (spec 8). A
 * card counts as the word of whoever trained the model.
 */
export function licencesOf(facts: {
  readonly card: string | undefined;
  readonly mocoEncoder: boolean;
}): readonly Licence[] {
  const named = facts.card === undefined ? null : cardLicence(facts.card);
  if (named !== null) {
    const known = CARD_LICENCES[named.toLowerCase()];
    const covers = 'This model, as its card says';
    if (known) return [{ ...known, covers }];
    const shown = printable(named);
    return [
      {
        id: shown,
        title: shown,
        covers,
        text: `The model card names the licence "${shown}". Read the card for what it permits.`,
        nonCommercial: /(^|-)nc(-|$)|non-?commercial/i.test(named),
      },
    ];
  }
  return [RCG_MIT, facts.mocoEncoder ? MOCO : APACHE_ENCODER, IMAGENET];
}
