/** A piece of running text. Links keep their words and lose their target: nothing leads outside. */
export interface Span {
  readonly kind: 'text' | 'strong' | 'emphasis' | 'code';
  readonly text: string;
}
export type Block =
  | { readonly kind: 'heading'; readonly level: number; readonly spans: readonly Span[] }
  | { readonly kind: 'paragraph'; readonly spans: readonly Span[] }
  | { readonly kind: 'code'; readonly text: string }
  | {
      readonly kind: 'list';
      readonly ordered: boolean;
      readonly items: readonly (readonly Span[])[];
    }
  | {
      readonly kind: 'table';
      readonly head: readonly (readonly Span[])[];
      readonly rows: readonly (readonly (readonly Span[])[])[];
    };

/** A card is a page of text; what comes after this is not shown. */
const MOST = 100_000;
const ITEM = /^\s*(?:[-*+]|(\d+)[.)])\s+(.*)$/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;

/**
 * The part of Markdown that model cards use: headings, paragraphs, lists, tables and code. Anything
 * else, HTML included, is shown as the text that it is.
 */
export function parseMarkdown(text: string): readonly Block[] {
  const lines = withoutFrontMatter(text.slice(0, MOST)).split(/\r?\n/);
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const [block, next] = readBlock(lines, at);
    if (block !== null) blocks.push(block);
    at = next;
  }
  return blocks;
}

/** The first paragraph: what a card says in one breath; empty when it has none. */
export function firstParagraph(text: string): string {
  const block = parseMarkdown(text).find(({ kind }) => kind === 'paragraph');
  return block?.kind === 'paragraph' ? block.spans.map((span) => span.text).join('') : '';
}

function readBlock(lines: readonly string[], at: number): readonly [Block | null, number] {
  const line = lines[at] ?? '';
  const heading = HEADING.exec(line);
  if (line.trim() === '') return [null, at + 1];
  if (heading !== null) {
    const level = heading[1]?.length ?? 1;
    return [{ kind: 'heading', level, spans: parseSpans(heading[2] ?? '') }, at + 1];
  }
  if (line.startsWith('```')) {
    const end = lines.findIndex((other, index) => index > at && other.startsWith('```'));
    const last = end < 0 ? lines.length : end;
    return [{ kind: 'code', text: lines.slice(at + 1, last).join('\n') }, last + 1];
  }
  if (isTable(lines, at)) return readTable(lines, at);
  if (ITEM.test(line)) return readList(lines, at);
  const last = endOf(lines, at, (other, index) => index > at && beginsBlock(lines, index, other));
  return [{ kind: 'paragraph', spans: parseSpans(lines.slice(at, last).join(' ')) }, last];
}

function readList(lines: readonly string[], at: number): readonly [Block, number] {
  const last = endOf(lines, at, (line) => line.trim() === '' || HEADING.test(line));
  const items: string[] = [];
  for (const line of lines.slice(at, last)) {
    const item = ITEM.exec(line);
    // A line that is no item goes on with the one before.
    if (item !== null) items.push(item[2] ?? '');
    else items.push(`${items.pop() ?? ''} ${line.trim()}`);
  }
  const ordered = ITEM.exec(lines[at] ?? '')?.[1] !== undefined;
  return [{ kind: 'list', ordered, items: items.map(parseSpans) }, last];
}

function readTable(lines: readonly string[], at: number): readonly [Block, number] {
  const last = endOf(lines, at, (line) => !line.trim().startsWith('|'));
  const [head = [], , ...rows] = lines.slice(at, last).map(cellsOf);
  return [{ kind: 'table', head, rows }, last];
}

function isTable(lines: readonly string[], at: number): boolean {
  const [line = '', rule = ''] = [lines[at], lines[at + 1]];
  return line.trim().startsWith('|') && /^\s*\|?[\s:|-]*-[\s:|-]*$/.test(rule);
}

function cellsOf(line: string): readonly (readonly Span[])[] {
  const inner = line.trim().replace(/^\|/, '').replace(/\|$/, '');
  return inner.split('|').map((cell) => parseSpans(cell.trim()));
}

function beginsBlock(lines: readonly string[], index: number, line: string): boolean {
  const begins = HEADING.test(line) || ITEM.test(line) || line.startsWith('```');
  return line.trim() === '' || begins || isTable(lines, index);
}

/** The first line from `at` on for which `ends` holds. */
function endOf(
  lines: readonly string[],
  at: number,
  ends: (line: string, index: number) => boolean,
): number {
  let end = at + 1;
  while (end < lines.length && !ends(lines[end] ?? '', end)) end++;
  return end;
}

function parseSpans(text: string): readonly Span[] {
  const plain = text.replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1').trim();
  return plain
    .split(/(`[^`]+`|\*\*[^*]+\*\*|\*[^*\s][^*]*\*)/)
    .filter((part) => part !== '')
    .map((part): Span => {
      if (part.length > 2 && part.startsWith('`')) return { kind: 'code', text: part.slice(1, -1) };
      if (/^\*\*[^*]+\*\*$/.test(part)) return { kind: 'strong', text: part.slice(2, -2) };
      if (/^\*[^*]+\*$/.test(part)) return { kind: 'emphasis', text: part.slice(1, -1) };
      return { kind: 'text', text: part };
    });
}

/** The lines between `---` at the top are for machines. */
function withoutFrontMatter(text: string): string {
  return text.replace(/^\uFEFF?---\r?\n[\s\S]*?\r?\n---[ \t]*(?:\r?\n|$)/, '');
}
