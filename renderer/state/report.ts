import type { StudioStatus } from '#api/studio';

/** Fields that name a folder or a file of a person and nothing else. */
const PLACES = ['libraryFolder', 'folder', 'backup'];

/**
 * The studio's state for somebody who helps. Folders are left out, because they hold people's names.
 */
export function statusReport(status: StudioStatus | null): string {
  const folder = status?.libraryFolder ?? '';
  const plain = (text: string) =>
    withoutPaths(folder === '' ? text : text.replaceAll(folder, '<path>'));
  return JSON.stringify(
    status,
    (name, value: unknown) => {
      if (PLACES.includes(name)) return undefined;
      return typeof value === 'string' ? plain(value) : value;
    },
    2,
  );
}

/** A text without the names of folders and files: a person's own folder names the person. */
export function withoutPaths(text: string): string {
  return text
    .replace(/((?:[A-Za-z]:)?[\\/]+(?:home|Users)[\\/]+)[^\\/\n"']+/gi, '$1someone')
    .replace(
      /(?<![\w.])(?:[A-Za-z]:)?(?:[\\/][^\\/\s"'<>|:]+(?: [^\\/\s"'<>|:]+(?=[\\/]))*)+/g,
      '<path>',
    )
    .replace(/\\\\[^\s"']+/g, '<path>');
}
