import type { Component } from 'svelte';

/** A line of a menu. */
export interface MenuItem {
  readonly id: string;
  readonly label: string;
  /** A name in the label that is in another language. */
  readonly named?: { readonly text: string; readonly lang?: string | undefined };
  /** A quiet word at the end. */
  readonly detail?: string;
  readonly icon?: Component;
  /** The key that does the same: "Ctrl+C". */
  readonly combo?: string;
  readonly disabled?: boolean;
  /** Its tip, such as why it is off. */
  readonly title?: string;
  /** What is read out instead, where the line's words are not enough. */
  readonly spoken?: string;
  /** Quieter than the others. */
  readonly faint?: boolean;
  /** Begins a new group. */
  readonly apart?: boolean;
  readonly run: () => void;
}
