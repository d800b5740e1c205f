/** A sentence with `{name}` places, or its forms by `count`. */
export type Template = string | { readonly one: string; readonly other: string };

/** A part of a catalogue in another language: the same keys, and forms only where it has them. */
export type Translation<Part> = {
  readonly [Key in keyof Part]: string | { readonly other: string };
};

type Places<Text extends string> = Text extends `${string}{${infer Place}}${infer Rest}`
  ? Place | Places<Rest>
  : never;

/** The names of the values that a template asks for. */
export type PlacesOf<T extends Template> = T extends { readonly other: infer Other extends string }
  ? Places<Other> | 'count'
  : T extends string
    ? Places<T>
    : never;
