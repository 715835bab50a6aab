import { type BrowserContext, test as base } from "@playwright/test";
import { Darkroom } from "./darkroom.ts";

/** What the pages of one browser did that no page should do. */
export class Misdeeds {
  readonly consoleErrors: string[] = [];
  readonly foreignRequests: string[] = [];

  /** Console errors that a test provokes on purpose: a page that is not there, a form that is refused. */
  readonly expected: RegExp[] = [];

  constructor(private readonly site: Darkroom) {}

  /** Listens to every page of a context, those that open later included. */
  watch(context: BrowserContext): void {
    context.on("console", (message) => {
      if (message.type() === "error") this.consoleErrors.push(`${message.text()} (${message.location().url})`);
    });
    context.on("weberror", (error) => this.consoleErrors.push(String(error.error())));
    context.on("request", (request) => {
      const url = new URL(request.url());
      const isLocal = url.protocol === "data:" || url.protocol === "blob:";
      if (!isLocal && url.hostname !== new URL(this.site.url).hostname) this.foreignRequests.push(url.href);
    });
  }

  /** Everything that was not expected. */
  get all(): string[] {
    const unexpected = this.consoleErrors.filter((error) => !this.expected.some((known) => known.test(error)));
    return [
      ...unexpected.map((error) => `console error: ${error}`),
      ...this.foreignRequests.map((url) => `request to another host: ${url}`),
    ];
  }
}

interface Fixtures {
  /** A program of this test's own, with an empty data folder. */
  site: Darkroom;
  /** What its pages did wrong. Looked at after every test. */
  misdeeds: Misdeeds;
}

/** Playwright's test, with a running site; it fails if any page logs an error or calls another host. */
export const test = base.extend<Fixtures>({
  site: async ({}, use, testInfo) => {
    const site = await Darkroom.start();
    await use(site);
    const code = await site.stop();
    if (testInfo.status !== testInfo.expectedStatus) {
      await testInfo.attach("log of the program", { body: site.log, contentType: "text/plain" });
    }
    await site.remove();
    base.expect(code, "the program ends in good order").toBe(0);
    base.expect(site.log, "the program does not panic").not.toContain("panicked at");
  },
  misdeeds: async ({ site }, use) => {
    const misdeeds = new Misdeeds(site);
    await use(misdeeds);
    base.expect(misdeeds.all).toEqual([]);
  },
  baseURL: async ({ site }, use) => {
    await use(site.url);
  },
  context: async ({ context, misdeeds }, use) => {
    misdeeds.watch(context);
    await becomeVisitor(context);
    await use(context);
  },
});

/** Lets a browser have a visitor's cookie, as everybody has who saw a page: what asks without one is a program. */
export async function becomeVisitor(context: BrowserContext): Promise<void> {
  await context.request.get("/", { headers: { accept: "text/html" } });
}

export { expect } from "@playwright/test";
