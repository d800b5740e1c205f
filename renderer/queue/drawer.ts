/** Whether the queue drawer is open; the shell owns it. */
export interface Drawer {
  queue: boolean;
}
