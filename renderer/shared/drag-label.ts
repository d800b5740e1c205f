/** Puts words at the pointer for as long as a drag lasts. The browser draws them once, at its start. */
export function labelDrag(data: DataTransfer, text: string): void {
  const label = document.createElement('div');
  label.className = 'drag-label';
  label.ariaHidden = 'true';
  label.textContent = text;
  document.body.append(label);
  data.setDragImage(label, 0, 0);
  setTimeout(() => label.remove());
}
