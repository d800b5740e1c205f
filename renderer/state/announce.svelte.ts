/** What the two live regions of the page say. */
export class Announcer {
  politeText = $state('');
  alertText = $state('');

  /** Says something when the reader has time: starts, quarters, ends. */
  polite(text: string): void {
    // A region is only read when its text changes: the same words twice need a difference.
    this.politeText = text === this.politeText ? `${text}\u00a0` : text;
  }

  /** Interrupts: failures only. */
  alert(text: string): void {
    this.alertText = text === this.alertText ? `${text}\u00a0` : text;
  }
}
