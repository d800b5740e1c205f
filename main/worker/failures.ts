import { StudioError, type ErrorCode } from '#api/errors';
import { BundleError } from '#bundle/reader';
import { CheckpointError } from '#checkpoint/errors';
import { EngineError, type EngineErrorCode } from '#engine/errors';
import { NetworkError } from '#networks/network';
import { fileError } from './files.ts';

const ENGINE_CODES: Readonly<Record<EngineErrorCode, ErrorCode>> = {
  cancelled: 'cancelled',
  'network-missing': 'network-missing',
  'bad-plan': 'invalid-request',
  'bad-output': 'internal',
};

/**
 * Anything thrown while a model was used, as an error for people. What is not known here is a bug,
 * and stays what it is.
 */
export function toStudioError(error: unknown): unknown {
  if (error instanceof StudioError) return error;
  if (error instanceof EngineError) {
    const { field } = error;
    return new StudioError(ENGINE_CODES[error.code], error.message, {
      cause: error,
      ...(field === undefined ? {} : { field }),
    });
  }
  if (
    error instanceof CheckpointError ||
    error instanceof NetworkError ||
    error instanceof BundleError
  ) {
    return new StudioError(
      'bundle-damaged',
      `The model's files are damaged: ${error.message}. Remove the model and import it again.`,
      { cause: error },
    );
  }
  if (
    error instanceof RangeError &&
    /allocation failed|Invalid typed array length/.test(error.message)
  ) {
    return new StudioError(
      'out-of-memory',
      'The memory of this computer is not enough. Close other programs, or make fewer pictures at once.',
      { cause: error },
    );
  }
  return fileError(error, 'A file of the model');
}
