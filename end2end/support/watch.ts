import type { Page } from "@playwright/test";

/** What something on the page looked like over time: each look once, in order. */
export interface Looks {
  /** Everything that was seen so far. */
  soFar(): Promise<string[]>;
}

/**
 * Notes, in the page itself and at every frame, each new value that a property of any matching element takes:
 * the test's own looks would be too rare to see what a person sees.
 */
export async function watch(page: Page, selector: string, property: "value" | "src"): Promise<Looks> {
  const handle = await page.evaluateHandle(
    ({ selector, property }) => {
      const seen: string[] = [];
      const look = () => {
        for (const element of document.querySelectorAll(selector)) {
          const value = String((element as unknown as Record<string, unknown>)[property]);
          if (value !== "" && !seen.includes(value)) seen.push(value);
        }
        requestAnimationFrame(look);
      };
      look();
      return seen;
    },
    { selector, property },
  );
  return { soFar: () => handle.jsonValue() };
}
