import type { StudioStatus } from '#api/studio';
import type { EventHub } from './events.ts';

const EVERY_MS = 1000;
/** What a meter shows of a number of bytes is a tenth of a gigabyte. */
const SHOWN_BYTES = 1e8;

/** Tells windows how the studio is, once a second at most, and only when they would show it. */
export function startMeters(
  events: Pick<EventHub, 'publish' | 'listeners'>,
  status: () => Promise<StudioStatus>,
): { close(): void } {
  let known = '';
  let shown = '';
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking || events.listeners === 0) return;
    looking = true;
    try {
      const { memory, diskFree, ...rest } = await status();
      // A window that comes later reads all of it for itself.
      const [before, beforeShown] = [known, shown];
      known = JSON.stringify(rest);
      shown = String([memory.used, memory.total, diskFree].map(tenths));
      if (known !== before) {
        events.publish({ kind: 'status', status: { ...rest, memory, diskFree } });
      } else if (shown !== beforeShown) {
        events.publish({ kind: 'meters', memory, diskFree });
      }
    } catch {
      // What cannot be told now is told later; whoever asks for it hears why.
    } finally {
      looking = false;
    }
  };
  const timer = setInterval(() => void look(), EVERY_MS);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

const tenths = (bytes: number | null): number | null =>
  bytes === null ? null : Math.round(bytes / SHOWN_BYTES);
