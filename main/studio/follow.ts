/**
 * An object that is always the present one: what is read of it is read of whatever `current` gives
 * then. So a host may keep the parts of a studio while the library under them is opened again. The
 * parts are objects of functions and never ask for `this`.
 */
export function follow<T extends object>(current: () => T): T {
  // Nothing is ever read of the target: it only gives the stand-in a type.
  const target = Object.create(null) as T;
  return new Proxy(target, {
    get: (_, name): unknown => Reflect.get(current(), name),
    has: (_, name) => Reflect.has(current(), name),
  });
}
