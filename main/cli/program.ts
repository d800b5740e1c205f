import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { StudioError } from '#api/errors';
import { addLibrary } from './program-library.ts';
import type { Session } from './session.ts';

/** Adds what every command takes. */
function withOutput(command: Command): Command {
  return command
    .option('--json', 'print JSON, one object a line')
    .option('--verbose', 'show where in the program an error arose');
}

function withModel(command: Command): Command {
  return command
    .option('--model <id>', 'installed model', 'starter')
    .option('--target <target>', 'cpu, cpu-int8, cpu-float32 or portable', 'cpu');
}

/**
 * Reads the arguments and runs the command that they name; resolves with its exit code. Wrong usage
 * is a StudioError `invalid-request`. Each command's file is loaded only when it runs.
 */
export async function runProgram(args: readonly string[], session: Session): Promise<number> {
  let code = 0;
  const act =
    <A extends unknown[]>(load: () => Promise<(session: Session, ...rest: A) => Promise<number>>) =>
    async (...rest: A): Promise<void> => {
      const command = await load();
      code = await command(session, ...rest);
    };

  const program = new Command('rcg-studio')
    .description('Makes pictures offline with representation-conditioned image generation.')
    .version(session.studio.software.replace(/^\S+ /, ''))
    .helpCommand('help [command]', 'show help for a command')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => session.io.stdout.write(text),
      writeErr: () => undefined,
      getOutHelpWidth: () => session.io.stdout.columns,
    })
    .showSuggestionAfterError();

  withOutput(withModel(program.command('generate').description('make pictures')))
    .option('--count <n>', 'pictures to make')
    .option('--seed <n>', 'seed of the first; each further one has the next (default: random)')
    .option('--guidance <g>', 'how strongly tokens follow the representation; 0 is off')
    .option('--guidance-schedule <s>', 'linear, constant, cosine or none')
    .option('--temperature <t>', 'how freely the order of tokens is drawn')
    .option('--steps <n>', 'decoding steps')
    .option('--rdm-steps <n>', 'steps in which a representation is made')
    .option('--eta <e>', 'noise between those steps, 0 to 1')
    .option('--class <name>', 'class by name or index, where the model has classes')
    .option('--from-image <file>', 'take the representation from a picture')
    .option('--representation <file>', 'take representations from an .npy file')
    .option('--chunk <n>', 'pictures made together; results do not depend on it')
    .option('--out <folder>', 'folder to write to', '.')
    .addOption(
      new Option('--library', 'keep the pictures in the library, as the window does').conflicts([
        'out',
        'representation',
      ]),
    )
    .action(act(async () => (await import('./pictures.ts')).generateCommand));

  withOutput(
    withModel(program.command('encode').description('write the representations of pictures')),
  )
    .argument('<file...>', 'pictures')
    .requiredOption('--out <file.npy>', 'file to write')
    .action(act(async () => (await import('./pictures.ts')).encodeCommand));

  withOutput(program.command('decode').description('make pictures from tokens'))
    .argument('<file>', 'a PNG made here, or an .npy of token ids')
    .option('--model <id>', 'installed model (default: the one that made the PNG, or starter)')
    .option('--target <target>', 'cpu, cpu-int8, cpu-float32 or portable', 'cpu')
    .option('--out <folder>', 'folder to write to', '.')
    .action(act(async () => (await import('./pictures.ts')).decodeCommand));

  withOutput(
    withModel(program.command('interpolate').description('make the pictures between two others')),
  )
    .argument('<a>', 'a picture, an .npy with one representation, or a seed')
    .argument('<b>', 'the same')
    .option('--frames <n>', 'pictures, both ends included', '8')
    .option('--mode <mode>', 'slerp (along the sphere) or lerp (straight)', 'slerp')
    .option('--seed <n>', 'seed of all frames (default: random)')
    .option('--guidance <g>', 'as for generate')
    .option('--guidance-schedule <s>', 'as for generate')
    .option('--temperature <t>', 'as for generate')
    .option('--steps <n>', 'as for generate')
    .option('--chunk <n>', 'as for generate')
    .option('--out <folder>', 'folder to write to', '.')
    .action(act(async () => (await import('./pictures.ts')).interpolateCommand));

  withOutput(program.command('replay').description('make a picture again and compare'))
    .argument('<file.png>', 'a picture made here')
    .action(act(async () => (await import('./pictures.ts')).replayCommand));

  withOutput(program.command('inspect').description('show what a checkpoint or a PNG holds'))
    .argument('<file>')
    .action(act(async () => (await import('./reports.ts')).inspectCommand));

  withOutput(program.command('serve').description('open the studio in a browser'))
    .option('--port <n>', 'port on this computer; 0 is any free one', '0')
    .option('--no-open', 'only print the address')
    .option('--library <folder>', 'folder of the pictures (default: in the data folder)')
    .action(act(async () => (await import('./serve.ts')).serveCommand));

  withOutput(program.command('doctor').description('check what this machine can do')).action(
    act(async () => (await import('./reports.ts')).doctorCommand),
  );

  addModels(program.command('models').description('installed models'), act);
  addLibrary(program.command('library').description('the pictures that are kept'), {
    act,
    withOutput,
  });
  refuseSwallowedOptions(program);
  if (args.length === 0) {
    throw new StudioError('invalid-request', `${program.helpInformation()}\nName a command.`);
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    const message = error.message
      .replace(/^error: /, '')
      .replace(/\s+/g, ' ')
      .replace(/\.$/, '');
    const unknown = args[0] === 'help' && args[1] !== undefined;
    const need = unknown ? `unknown command '${args[1]}'` : 'name what to do';
    const text = error.code === 'commander.help' ? need : message;
    throw new StudioError(
      'invalid-request',
      `${text}. See: rcg-studio help ${helpTopic(args, program)}`.trim(),
    );
  }
  return code;
}

export type Act = <A extends unknown[]>(
  load: () => Promise<(session: Session, ...rest: A) => Promise<number>>,
) => (...rest: A) => Promise<void>;

function addModels(models: Command, act: Act): void {
  withOutput(models.command('list').description('list installed models')).action(
    act(async () => (await import('./models.ts')).listModels),
  );
  withOutput(models.command('import').description('import a model from checkpoint files'))
    .argument('<file...>', 'checkpoints; *.json is the recipe, CARD.md the card')
    .option('--recipe <file>', 'sizes and names that checkpoints do not tell')
    .option('--card <file>', 'model card to keep with it')
    .option('--statistics <file>', 'statistics (safetensors) to keep with it')
    .option('--id <id>', 'name to install it under')
    .option('--yes', 'accept the licences that are shown')
    .action(act(async () => (await import('./models.ts')).importModel));
  withOutput(models.command('verify').description('compare the files of models with their hashes'))
    .argument('[id]', 'one model (default: all)')
    .action(act(async () => (await import('./models.ts')).verifyModels));
  withOutput(models.command('export').description('write a model as portable ONNX graphs'))
    .argument('<id>')
    .requiredOption('--out <folder>', 'new or empty folder')
    .action(act(async () => (await import('./models.ts')).exportModel));
  withOutput(models.command('remove').description('remove an imported model'))
    .argument('<id>')
    .action(act(async () => (await import('./models.ts')).removeModel));
  withOutput(models.command('build-starter', { hidden: true }).alias('rebuild-starter'))
    .argument('<folder>', 'mage.pth, rdm.pth, recipe.json, CARD.md, statistics.safetensors')
    .action(act(async () => (await import('./models.ts')).rebuildStarter));
}

/** `--out --json` would otherwise mean a folder of that name, and `--json` be lost. */
function refuseSwallowedOptions(command: Command): void {
  for (const option of command.options.filter(({ required }) => required)) {
    const parse = option.parseArg;
    option.argParser((value: string, before: unknown) => {
      if (!value.startsWith('--')) return parse === undefined ? value : parse(value, before);
      throw new InvalidArgumentError('Its value is missing: another option follows');
    });
  }
  command.commands.forEach(refuseSwallowedOptions);
}

/** The command whose help fits a mistake. */
function helpTopic(args: readonly string[], program: Command): string {
  return program.commands.some((command) => command.name() === args[0]) ? (args[0] ?? '') : '';
}
