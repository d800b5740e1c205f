import svelte from 'eslint-plugin-svelte';
import tseslint from 'typescript-eslint';

const rules = {
  eqeqeq: 'error',
  'max-params': ['error', 4],
  'no-restricted-properties': [
    'error',
    { object: 'Math', property: 'random', message: 'Noise comes from engine/random.' },
  ],
  '@typescript-eslint/no-floating-promises': 'error',
  '@typescript-eslint/no-misused-promises': 'error',
  '@typescript-eslint/await-thenable': 'error',
  '@typescript-eslint/return-await': 'error',
  '@typescript-eslint/switch-exhaustiveness-check': [
    'error',
    { considerDefaultExhaustiveForUnions: true },
  ],
  '@typescript-eslint/consistent-type-imports': 'error',
  '@typescript-eslint/no-explicit-any': 'error',
  '@typescript-eslint/no-non-null-assertion': 'error',
};

export default tseslint.config(
  { ignores: ['out/**', 'dist/**', 'models/starter/**', 'node_modules/**'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { projectService: true } },
    rules,
  },
  {
    files: ['main/**/*.ts', 'models/**/*.ts'],
    rules: {
      // Nobody goes out into a network (test/layers.ts has Node's own modules).
      'no-restricted-globals': ['error', 'fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest'],
    },
  },
  {
    files: ['**/*.svelte'],
    extends: [tseslint.configs.base, ...svelte.configs.recommended],
    languageOptions: {
      // Without type information, which takes a minute here; svelte-check has the types.
      parserOptions: { parser: tseslint.parser },
    },
    rules: { eqeqeq: 'error', '@typescript-eslint/no-explicit-any': 'error' },
  },
);
