import type { Locator } from "@playwright/test";

/** What something on the page looked like over time: each look once, in order. */
export interface Looks {
  /** Everything that was seen so far. */
  soFar(): Promise<string[]>;
}

/**
 * Notes, in the page itself and at every frame, each new value of an attribute or property: the test's own
 * looks would be too rare to see what a person sees.
 */
export async function watch(element: Locator, property: "value" | "src"): Promise<Looks> {
  const handle = await element.evaluateHandle((node, property) => {
    const seen: string[] = [];
    const look = () => {
      const value = String((node as unknown as Record<string, unknown>)[property]);
      if (value !== "" && value !== seen.at(-1)) seen.push(value);
      requestAnimationFrame(look);
    };
    look();
    return seen;
  }, property);
  return { soFar: () => handle.jsonValue() as Promise<string[]> };
}
