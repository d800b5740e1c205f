import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { LAYERS, PACKAGES, PURE } from './layers.ts';

const ROOT = resolve(import.meta.dirname, '..');
const ALIASES = (
  JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    imports: Record<string, string>;
  }
).imports;

interface Import {
  readonly file: string;
  readonly layer: string;
  readonly from: string;
  readonly typeOnly: boolean;
}

function layerOf(path: string): string {
  return path.split('/').slice(0, 2).join('/');
}

function sourceFiles(): string[] {
  return ['main', 'models'].flatMap((top) =>
    readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.startsWith('starter'))
      .map((name) => join(top, name)),
  );
}

/** Every import and re-export of a file, found by TypeScript's own parser. */
function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: Import[] = [];
  const add = (specifier: ts.Expression | undefined, typeOnly: boolean) => {
    if (specifier && ts.isStringLiteral(specifier)) {
      found.push({ file, layer: layerOf(file), from: specifier.text, typeOnly });
    }
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    } else if (ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, node.isTypeOnly);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal as ts.Expression, true);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** The layer that an import reaches, or null for a package or a built-in module. */
function target(entry: Import): string | null {
  if (entry.from.startsWith('.')) {
    return layerOf(relative(ROOT, resolve(ROOT, dirname(entry.file), entry.from)));
  }
  const [alias = ''] = entry.from.split('/');
  const mapped = ALIASES[`${alias}/*`];
  return mapped ? layerOf(mapped.slice(2)) : null;
}

const imports = sourceFiles().flatMap(importsOf);

describe('the import table', () => {
  test('names every layer there is', () => {
    const unknown = sourceFiles().filter((file) => !(layerOf(file) in LAYERS));
    expect(unknown).toEqual([]);
  });

  test('is kept by every import', () => {
    const broken = imports.filter((entry) => {
      const to = target(entry);
      if (to === null || to === entry.layer) return false;
      const allowed = LAYERS[entry.layer] ?? [];
      return !allowed.includes(to) && !(entry.typeOnly && allowed.includes(`types:${to}`));
    });
    expect(broken.map((entry) => `${entry.file} imports ${entry.from}`)).toEqual([]);
  });

  test('is written #layer/file across layers and ./file within one', () => {
    const wrong = imports.filter((entry) => {
      const to = target(entry);
      return to !== null && (to === entry.layer) === entry.from.startsWith('#');
    });
    expect(wrong.map((entry) => `${entry.file} imports ${entry.from}`)).toEqual([]);
  });

  test('gives each package to one layer', () => {
    const broken = imports.filter((entry) => {
      const owners = PACKAGES[entry.from];
      return owners !== undefined && !owners.includes(entry.layer);
    });
    expect(broken.map((entry) => `${entry.file} imports ${entry.from}`)).toEqual([]);
  });

  test('keeps Node out of the pure layers', () => {
    const broken = imports.filter(
      (entry) =>
        PURE.includes(entry.layer) &&
        target(entry) === null &&
        !(entry.from === 'zod' || (entry.layer === 'main/api' && entry.from.startsWith('@orpc/'))),
    );
    expect(broken.map((entry) => `${entry.file} imports ${entry.from}`)).toEqual([]);
  });
});

test('no layer reaches itself through others', () => {
  const edges = new Map<string, Set<string>>();
  for (const entry of imports) {
    const to = target(entry);
    if (to !== null && to !== entry.layer && !entry.typeOnly) {
      edges.set(entry.layer, (edges.get(entry.layer) ?? new Set()).add(to));
    }
  }
  const cycles: string[] = [];
  const visit = (layer: string, path: readonly string[]): void => {
    if (path.includes(layer)) cycles.push([...path, layer].join(' → '));
    else for (const next of edges.get(layer) ?? []) visit(next, [...path, layer]);
  };
  for (const layer of edges.keys()) visit(layer, []);
  expect(cycles).toEqual([]);
});
