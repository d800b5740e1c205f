import type { ErrorCode } from '#api/errors';
import type { StudioClient } from './conformance.ts';

const everything = { filter: {}, sort: { by: 'createdAt', descending: true } } as const;

/** Calls that every host with a library refuses, by which code, and the field that is to blame. */
export const REFUSED_CALLS: readonly [
  what: string,
  call: (client: StudioClient) => Promise<unknown>,
  code: ErrorCode,
  field?: string,
][] = [
  ['a picture that is gone', (c) => c.images.get({ id: 5 }), 'not-found'],
  ['an id that is none', (c) => c.images.get({ id: -1 }), 'invalid-request', 'id'],
  [
    'a start from a picture that is gone',
    (c) => c.jobs.create({ source: { kind: 'image', image: 9 }, settings: {} }),
    'not-found',
  ],
  [
    'software without a list',
    (c) => c.images.search({ ...everything, filter: { software: 'rcg-studio' as never } }),
    'invalid-request',
    'filter.software',
  ],
  [
    'a saved search for software that is a number',
    (c) =>
      c.images.saveSearch({
        name: 'Old',
        search: { ...everything, filter: { software: ['rcg-studio', 7 as never] } },
      }),
    'invalid-request',
    'search.filter.software.1',
  ],
  [
    'an answer that a replay cannot have',
    (c) => c.images.search({ ...everything, filter: { replays: ['same' as never] } }),
    'invalid-request',
    'filter.replays.0',
  ],
  ['a replay of a picture that is gone', (c) => c.images.replay({ id: 5 }), 'not-found'],
  [
    'a note that is replaced and added to',
    (c) => c.images.update({ ids: [1], note: 'a', addNote: 'b' }),
    'invalid-request',
    'addNote',
  ],
  [
    'an addition of nothing',
    (c) => c.images.update({ ids: [1], addNote: ' \n' }),
    'invalid-request',
    'addNote',
  ],
  [
    'an addition without end',
    (c) => c.images.update({ ids: [1], addNote: 'x'.repeat(10_001) }),
    'invalid-request',
    'addNote',
  ],
  [
    'a size of thumbnails that there is not',
    (c) => c.studio.configure({ thumbnailEdge: 1024 as 512 }),
    'invalid-request',
    'thumbnailEdge',
  ],
  ['a job that is gone', (c) => c.jobs.cancel({ id: 9 }), 'not-found'],
  [
    'an export of nothing',
    (c) => c.images.export({ ids: [8, 9], metadata: true }),
    'file-unavailable',
  ],
  [
    'a checkpoint that is not there',
    (c) => c.models.offer({ files: ['/nowhere/mage.pth'] }),
    'file-unavailable',
  ],
];
