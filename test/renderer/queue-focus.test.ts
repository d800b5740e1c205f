import { describe, expect, test, vi } from 'vitest';
import { takeFocus } from '../../renderer/queue/drawer.ts';

/** As much of an element as the focus needs. */
class Place {
  isConnected = true;
  readonly ownerDocument: Page;
  readonly parts: Place[] = [];
  constructor(page: Page) {
    this.ownerDocument = page;
  }
  focus() {
    this.ownerDocument.activeElement = this;
  }
  contains(other: Place) {
    return other === this || this.parts.includes(other);
  }
}
class Page {
  body = new Place(this);
  activeElement: Place | null = this.body;
}

function setUp() {
  vi.stubGlobal('HTMLElement', Place);
  const page = new Page();
  const [before, home, drawer, inside, elsewhere] = Array.from(
    { length: 5 },
    () => new Place(page),
  ) as [Place, Place, Place, Place, Place];
  drawer.parts.push(inside);
  const open = () => takeFocus(drawer as never, () => home as never);
  return { page, before, home, drawer, inside, elsewhere, open };
}

describe('the focus of the queue drawer', () => {
  test('is in it while it is open, and back where it was after', () => {
    const { page, before, drawer, inside, open } = setUp();
    before.focus();
    const close = open();
    expect(page.activeElement).toBe(drawer);
    inside.focus();
    close();
    expect(page.activeElement).toBe(before);
  });

  test('goes to the button of the queue when nothing had it, or what had it is gone', () => {
    const { page, before, home, open } = setUp();
    open()();
    expect(page.activeElement).toBe(home);
    before.focus();
    const close = open();
    before.isConnected = false;
    page.activeElement = page.body;
    close();
    expect(page.activeElement).toBe(home);
  });

  test('stays where a person moved on to', () => {
    const { page, before, elsewhere, open } = setUp();
    before.focus();
    const close = open();
    elsewhere.focus();
    close();
    expect(page.activeElement).toBe(elsewhere);
  });
});
