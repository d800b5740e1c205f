export async function main(args: readonly string[]): Promise<number> {
  console.log('hi', process.version, args);
  return 3;
}
