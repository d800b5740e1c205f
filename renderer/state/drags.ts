import type { ImageRow } from '#api/images';
import { bringsFiles, bringsPictures, packPictures, unpackPictures } from './transfer.ts';

/** Files that one drag hands to other programs, at most. */
const MOST = 100;

/** What a drag takes along, and what it is taken by. */
export interface Dragged {
  readonly ids: readonly number[];
  /** The one under the pointer. */
  readonly id: number;
  readonly row: ImageRow | undefined;
  readonly origin: string;
  /** Whether files keep their recipes. */
  readonly recipe: boolean;
}

/** What drags need of the window. */
interface Hands {
  /** Drags several files, where the host can; null where one is all. */
  readonly dragOut:
    ((ids: readonly number[], recipe: boolean) => Promise<readonly string[]>) | null;
  /** Says that only some of so many go to other programs. */
  readonly tellMost: (most: number, count: number) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Drags of pictures, within the window and out of it. Where several files leave, the system's own
 * drag takes the place of the page's, and the page only sees that files come: so the pictures in
 * hand are remembered until the pointer moves freely again.
 */
export class Drags {
  readonly #hands: Hands;
  #carried: { readonly ids: readonly number[]; names: ReadonlySet<string> } | null = null;

  constructor(hands: Hands) {
    this.#hands = hands;
  }

  /** Begins a drag; `label` is put at the pointer where only one of several can leave the window. */
  start(event: DragEvent, dragged: Dragged, label: (data: DataTransfer) => void): void {
    const data = event.dataTransfer;
    if (data === null) return;
    const { dragOut } = this.#hands;
    if (dragged.ids.length > 1 && dragOut !== null) {
      event.preventDefault();
      void this.#carry(dragged, dragOut);
      return;
    }
    packPictures(data, dragged.ids, dragged);
    if (dragged.ids.length > 1) label(data);
  }

  async #carry(
    { ids, id, recipe }: Dragged,
    dragOut: NonNullable<Hands['dragOut']>,
  ): Promise<void> {
    const carried = { ids, names: new Set<string>() };
    this.#carried = carried;
    if (ids.length > MOST) this.#hands.tellMost(MOST, ids.length);
    const files = [id, ...ids.filter((other) => other !== id)].slice(0, MOST);
    try {
      carried.names = new Set(await dragOut(files, recipe));
    } catch (error) {
      this.#hands.failed(error);
    }
  }

  /** The pointer moves without a button, or the drop is over: nothing is in hand any more. */
  letGo(): void {
    this.#carried = null;
  }

  /** Whether a drag brings pictures of this window. */
  bringsPictures(data: DataTransfer | null): boolean {
    return bringsPictures(data) || this.#isCarried(data);
  }

  /** Whether a drag brings files from outside. */
  bringsFiles(data: DataTransfer | null): boolean {
    return bringsFiles(data) && !this.#isCarried(data);
  }

  /** The ids that a drag brought. */
  unpack(data: DataTransfer | null): readonly number[] {
    return this.#isCarried(data) ? (this.#carried?.ids ?? []) : unpackPictures(data);
  }

  /** Only a drop shows which files come: others than ours may, when the end of a drag was not seen. */
  #isCarried(data: DataTransfer | null): boolean {
    const carried = this.#carried;
    if (carried === null || data === null || !bringsFiles(data)) return false;
    return [...data.files].every(({ name }) => carried.names.has(name));
  }
}
