/** Loads a picture ahead, so that an `<img>` shows it at once. Never fails. */
export type WarmPicture = (address: string) => Promise<void>;

/**
 * A picture that cannot be loaded is left to its `<img>`, which shows that. It is not decoded here:
 * each decoding would be a frame of the window, while the next pictures are being made.
 */
export const warmPicture: WarmPicture = (address) =>
  new Promise((resolve) => {
    const picture = new Image();
    picture.onload = picture.onerror = () => resolve();
    picture.src = address;
  });
