import { createRouterClient, ORPCError } from '@orpc/server';
import type { ContractRouterClient } from '@orpc/contract';
import type { Contract } from '#api/contract';
import { ERROR_CODES, StudioError, type WireError } from '#api/errors';
import { findServed } from '#http/served';
import { hostOptions } from '#studio/host-options';
import { unavailable } from '#studio/library/state';
import { openStudio, type OpenStudio } from '#studio/open-studio';
import { createRouter } from '#studio/router';
import type { Session } from './session.ts';

/** What a command does the contract's procedures with. */
export type Client = ContractRouterClient<Contract>;

/** An open library, as a command uses it: in this process, or in the studio that has it open. */
export interface OpenedLibrary {
  readonly client: Client;
  /** What an address of the studio holds. */
  readonly download: (address: string) => Promise<Uint8Array>;
}

/**
 * Does one thing with the library. It is opened as a window would, and closed again; where a served
 * studio of the same person has it open, that one does it. Any other owner's is refused.
 */
export async function withLibrary(
  { studio: { home }, io }: Session,
  { queue = false }: { readonly queue?: boolean },
  work: (library: OpenedLibrary) => Promise<number>,
): Promise<number> {
  const studio = await openStudio({ ...hostOptions(home, io.channel), resting: !queue });
  try {
    if (studio.state.kind !== 'open') {
      const locked = studio.state.kind === 'locked';
      const served = locked ? await findServed(home, studio.shop.files.folder) : null;
      if (served === null) throw unavailable(studio.state);
      return await work(served);
    }
    await studio.trusted;
    return await work(inProcess(studio));
  } catch (error) {
    throw studioError(error);
  } finally {
    await studio.close();
  }
}

function inProcess(studio: OpenStudio): OpenedLibrary {
  return {
    client: createRouterClient(createRouter(studio)),
    async download(address) {
      const found = studio.exports.open(address);
      if (found === null) throw new StudioError('internal', 'The export is not there any more.');
      return new Response(found.read(0, found.bytes - 1)).bytes();
    },
  };
}

/** A refusal of the contract as what it was in the studio. */
function studioError(error: unknown): unknown {
  if (!(error instanceof ORPCError)) return error;
  const code = ERROR_CODES.find((one) => one === error.code);
  if (code === undefined) return error;
  const { field, reason } = (error.data ?? {}) as Pick<WireError, 'field' | 'reason'>;
  return new StudioError(code, error.message, { cause: error, field, reason });
}
