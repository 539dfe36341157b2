/**
 * Does something for each, so many at a time, and keeps their order: a hundred namespaces are no hundred requests at once, and others
 * get their turn between two of them. The first that fails ends it.
 */
export async function fewAtATime<Item, Result>(
  items: readonly Item[],
  most: number,
  act: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = new Array(items.length);
  const left = items.entries();
  const work = async () => {
    for (const [index, item] of left) results[index] = await act(item);
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, work));
  return results;
}
