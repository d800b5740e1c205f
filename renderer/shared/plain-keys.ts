/**
 * Props of a trigger that leaves key combinations to the page: Ctrl Enter on the button of a menu
 * is a command, and does not open the menu.
 */
export function withPlainKeys(props: Record<string, unknown>): Record<string, unknown> {
  const press = props['onkeydown'];
  if (typeof press !== 'function') return props;
  return {
    ...props,
    onkeydown(event: KeyboardEvent) {
      if (!event.ctrlKey && !event.metaKey) press(event);
    },
  };
}
