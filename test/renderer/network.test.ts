import { describe, expect, test } from 'vitest';
import { NetworkWatch } from '../../renderer/state/network.svelte.ts';

const ORIGIN = 'http://127.0.0.1:4000';

function refuse(page: EventTarget, blockedURI: string): void {
  page.dispatchEvent(Object.assign(new Event('securitypolicyviolation'), { blockedURI }));
}

describe('the network watch', () => {
  test.each(['https://example.org/x.png', 'http://127.0.0.2:4000/', 'wss://example.org'])(
    'counts a request to %s',
    (address) => {
      const page = new EventTarget();
      const network = new NetworkWatch(page, ORIGIN);
      refuse(page, address);
      refuse(page, address);
      expect(network.refused).toBe(2);
    },
  );

  test.each(['inline', 'eval', '', `${ORIGIN}/images/1`])(
    'does not take %j for a request that leaves',
    (address) => {
      const page = new EventTarget();
      const network = new NetworkWatch(page, ORIGIN);
      refuse(page, address);
      expect(network.refused).toBe(0);
    },
  );
});
