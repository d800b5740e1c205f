/** Loads and decodes a picture ahead, so that an `<img>` shows it at once. Never fails. */
export type WarmPicture = (address: string) => Promise<void>;

/** A picture that cannot be loaded is left to its `<img>`, which shows that. */
export const warmPicture: WarmPicture = async (address) => {
  const picture = new Image();
  picture.src = address;
  await picture.decode().catch(() => undefined);
};
