/** Who may import whom. `types:` in front of a layer allows its types alone. */
export const LAYERS: Readonly<Record<string, readonly string[]>> = {
  'models/checkpoint': [],
  'models/graph': [],
  'models/bundle': ['models/checkpoint'],
  'models/networks': ['models/graph', 'models/checkpoint', 'models/bundle'],
  'models/importer': ['models/checkpoint', 'models/graph', 'models/networks', 'models/bundle'],
  'main/api': [],
  'main/engine': ['types:main/runtime', 'types:models/bundle'],
  'main/runtime': [
    'models/bundle',
    'models/checkpoint',
    'models/graph',
    'models/networks',
    'main/api',
    'types:main/engine',
  ],
  'main/worker': [
    'main/api',
    'models/graph',
    'main/engine',
    'main/runtime',
    'models/importer',
    'models/bundle',
    'models/checkpoint',
    'models/networks',
  ],
  'main/history': ['main/api'],
  // Files that hold pictures; of the engine's process only what its messages look like.
  'main/pictures': ['main/api', 'types:main/worker'],
  // Of the engine only what is mathematics on numbers; pictures are made in its own process.
  'main/studio': [
    'main/api',
    'main/engine',
    'main/history',
    'main/pictures',
    'main/worker',
    'models/bundle',
  ],
  'main/cli': ['main/api', 'main/pictures', 'main/studio', 'main/worker', 'main/http'],
  'main/http': ['main/api', 'main/pictures', 'main/studio', 'main/worker'],
  'main/electron': ['main/api', 'main/pictures', 'main/studio', 'main/worker'],
};

/** The only layer that may import a package or a part of Node. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'onnxruntime-node': ['main/runtime'],
  sharp: ['main/pictures'],
  commander: ['main/cli'],
  'better-sqlite3': ['main/history'],
  electron: ['main/electron'],
  // Nobody goes out into a network; one host listens on this machine.
  'node:http': ['main/http'],
  'node:net': ['main/http'],
  'node:https': [],
  'node:http2': [],
  'node:tls': [],
  'node:dgram': [],
  'node:dns': [],
};

/** Layers that must not know Node: no built-in modules, no packages beside zod. */
export const PURE: readonly string[] = [
  'models/checkpoint',
  'models/graph',
  'models/bundle',
  'models/networks',
  'models/importer',
  'main/api',
  'main/engine',
];
