/**
 * Counts requests to anywhere but the studio. The page's security policy refuses every one of
 * them; the count shows that none was tried.
 */
export class NetworkWatch {
  refused = $state(0);

  /** @param page the document whose policy is watched; @param origin the studio's own */
  constructor(page: EventTarget, origin: string) {
    page.addEventListener('securitypolicyviolation', (event) => {
      const { blockedURI } = event as SecurityPolicyViolationEvent;
      // A refused inline script or style is a fault of ours, but no request.
      if (URL.canParse(blockedURI) && new URL(blockedURI).origin !== origin) this.refused += 1;
    });
  }
}

const watches = new WeakMap<EventTarget, NetworkWatch>();

/** The watch over a document: one for all who show its count. */
export function watchNetwork(page: EventTarget, origin: string): NetworkWatch {
  const watch = watches.get(page) ?? new NetworkWatch(page, origin);
  watches.set(page, watch);
  return watch;
}
