import { expect, test } from "../support/test.ts";

const MOST_MS = 20;
const VISITS = 51;

test(`the first page of an idle server is answered in under ${MOST_MS} ms`, async ({ site }) => {
  const times: number[] = [];
  for (let visit = 0; visit < VISITS; visit++) {
    const begin = performance.now();
    const answer = await fetch(site.url);
    await answer.text();
    times.push(performance.now() - begin);
    expect(answer.status).toBe(200);
  }
  times.sort((a, b) => a - b);
  const median = times[Math.floor(VISITS / 2)] ?? Number.NaN;
  const [first, last] = [times[0] ?? Number.NaN, times.at(-1) ?? Number.NaN];
  console.log(`first page: median ${median.toFixed(1)} ms, ${first.toFixed(1)} to ${last.toFixed(1)} ms`);
  expect(median).toBeLessThan(MOST_MS);
});
