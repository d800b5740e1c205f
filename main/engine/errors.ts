/** Every way the engine stops without a result. The codes are stable. */
export type EngineErrorCode =
  /** The caller asked to stop. */
  | 'cancelled'
  /** The plan needs a network that the model lacks. */
  | 'network-missing'
  /** A network returned something that cannot be right: NaN, a wrong shape, an unknown token. */
  | 'bad-output'
  /** A number of the plan is out of range; `field` names it. */
  | 'bad-plan';

/** A failure of the engine, with a sentence for people. Nothing is written when it is thrown. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: EngineErrorCode;
  /** The plan's field that is at fault, for `bad-plan`. */
  readonly field: string | undefined;

  constructor(code: EngineErrorCode, message: string, field?: string) {
    super(message);
    this.code = code;
    this.field = field;
  }
}

/** How a caller steers a long loop: both are looked at between steps, never inside one. */
export interface Control {
  readonly signal?: AbortSignal | undefined;
  /** Awaited between steps, so that messages (a cancel among them) can arrive. */
  readonly pause?: (() => Promise<void>) | undefined;
}

/** Throws `cancelled` once the caller has asked to stop. */
function checkCancelled(control: Control): void {
  if (control.signal?.aborted === true) {
    throw new EngineError('cancelled', 'Stopped, as asked. Pictures already finished are kept.');
  }
}

/** Lets messages arrive, then checks for a cancel. */
export async function breathe(control: Control): Promise<void> {
  await control.pause?.();
  checkCancelled(control);
}
