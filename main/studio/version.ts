import { readFileSync } from 'node:fs';

/** Program and version, as recipes name it: "rcg-studio 0.1.0". */
export function softwareName(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const json: unknown = JSON.parse(text);
  const version: unknown =
    typeof json === 'object' && json !== null && 'version' in json ? json.version : '';
  return `rcg-studio ${String(version)}`;
}
