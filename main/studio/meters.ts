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
  let shown = '';
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking || events.listeners === 0) return;
    looking = true;
    try {
      const now = await status();
      const text = shownOf(now);
      // A window that comes later reads it for itself.
      if (text !== shown) events.publish({ kind: 'status', status: now });
      shown = text;
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

function shownOf(status: StudioStatus): string {
  const { memory, diskFree } = status;
  const rounded = [memory.used, memory.total, diskFree].map((bytes) =>
    Math.round(bytes / SHOWN_BYTES),
  );
  return JSON.stringify({ ...status, memory: rounded, diskFree: null });
}
