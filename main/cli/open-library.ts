import { createRouterClient, ORPCError } from '@orpc/server';
import { ERROR_CODES, StudioError, type WireError } from '#api/errors';
import { hostOptions } from '#studio/host-options';
import { unavailable } from '#studio/library/state';
import { openStudio, type OpenStudio } from '#studio/open-studio';
import { createRouter } from '#studio/router';
import type { Session } from './session.ts';

/** What a command does the contract's procedures with, in this process. */
export type Client = ReturnType<typeof connect>;

/** An open library, as a command uses it. */
export interface OpenedLibrary {
  readonly client: Client;
  readonly studio: OpenStudio;
}

const connect = (studio: OpenStudio) => createRouterClient(createRouter(studio));

/**
 * Opens the library as a window would, does one thing with it, and closes it. While another RCG
 * Studio has it open, that is refused: it is the library's owner.
 */
export async function withLibrary(
  { studio: { home }, io }: Session,
  { queue = false }: { readonly queue?: boolean },
  work: (library: OpenedLibrary) => Promise<number>,
): Promise<number> {
  const studio = await openStudio({ ...hostOptions(home, io.channel), resting: !queue });
  try {
    if (studio.state.kind !== 'open') throw unavailable(studio.state);
    await studio.trusted;
    return await work({ client: connect(studio), studio });
  } catch (error) {
    throw studioError(error);
  } finally {
    await studio.close();
  }
}

/** A refusal of the contract as what it was in the studio. */
function studioError(error: unknown): unknown {
  if (!(error instanceof ORPCError)) return error;
  const code = ERROR_CODES.find((one) => one === error.code);
  if (code === undefined) return error;
  const { field, reason } = (error.data ?? {}) as Pick<WireError, 'field' | 'reason'>;
  return new StudioError(code, error.message, { cause: error, field, reason });
}
