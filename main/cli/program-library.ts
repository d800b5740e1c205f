import type { Command } from 'commander';
import type { Act } from './program.ts';

/** An option that may be given again and again. */
const again = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** Adds the commands of the library. */
export function addLibrary(
  library: Command,
  { act, withOutput }: { readonly act: Act; readonly withOutput: (command: Command) => Command },
): void {
  const add = (name: string, description: string) =>
    withOutput(library.command(name).description(description));

  add('where', 'show where the library is').action(
    act(async () => (await import('./library.ts')).whereCommand),
  );
  add('move', 'move the library; checks every file')
    .argument('<folder>', 'new or empty folder')
    .action(act(async () => (await import('./library.ts')).moveCommand));
  add('reindex', 'find pictures that the record does not know').action(
    act(async () => (await import('./library.ts')).reindexCommand),
  );
  add('export', 'write all of it into a folder, for another computer')
    .argument('<folder>', 'new or empty folder')
    .action(act(async () => (await import('./library.ts')).exportCommand));
  add('import', 'take in a folder that another computer exported')
    .argument('<folder>', 'folder with manifest.json')
    .action(act(async () => (await import('./library.ts')).importCommand));

  add('list', 'list pictures; the newest come first')
    .alias('search')
    .argument('[words...]', 'words in notes, tags and model names, or a seed')
    .option('--text <words>', 'the same')
    .option('--tag <tag>', 'only with this tag; may be given again', again, [])
    .option('--board <name>', 'only of this board')
    .option('--rating <n>', 'only rated so or better')
    .option('--seed <n>', 'only of this seed')
    .option('--operation <name>', 'generate, variation, interpolation or import')
    .option('--starred', 'only with a star')
    .option('--unrated', 'only without a rating')
    .option('--bin', 'what is in the bin')
    .option('--sort <field>', 'createdAt, seed, rating, guidance, steps and so on', 'createdAt')
    .option('--ascending', 'the lowest come first')
    .option('--limit <n>', 'no more than so many')
    .action(act(async () => (await import('./kept-pictures.ts')).listCommand));
  add('rate', 'rate pictures')
    .argument('<ids...>', 'as list shows them')
    .requiredOption('--rating <n>', '0 to 5; 0 is none')
    .action(act(async () => (await import('./kept-pictures.ts')).rateCommand));
  add('star', 'give pictures a star')
    .argument('<ids...>', 'as list shows them')
    .option('--off', 'take it away')
    .action(act(async () => (await import('./kept-pictures.ts')).starCommand));
  add('tag', 'tag pictures')
    .argument('<ids...>', 'as list shows them')
    .option('--add <tag>', 'may be given again', again, [])
    .option('--remove <tag>', 'may be given again', again, [])
    .action(act(async () => (await import('./kept-pictures.ts')).tagCommand));
  add('delete', 'move pictures into the bin')
    .argument('<ids...>', 'as list shows them')
    .action(act(async () => (await import('./kept-pictures.ts')).deleteCommand));
  add('restore', 'bring pictures back from the bin')
    .argument('<ids...>', 'as list --bin shows them')
    .action(act(async () => (await import('./kept-pictures.ts')).restoreCommand));
  add('add', 'take pictures in: ours with their recipe, others as the model sees them')
    .argument('<files...>', 'pictures')
    .action(act(async () => (await import('./kept-pictures.ts')).addCommand));
  add('export-pictures', 'write pictures as files')
    .argument('<ids...>', 'as list shows them')
    .requiredOption('--out <folder>', 'folder to write to')
    .option('--no-metadata', 'leave the recipe out')
    .action(act(async () => (await import('./kept-pictures.ts')).exportPicturesCommand));
}
