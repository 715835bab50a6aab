import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { expect, test as base } from "@playwright/test";
import { PROGRAM } from "../support/darkroom.ts";
import { readPng } from "../support/png.ts";

const run = promisify(execFile);

/** A test in an empty folder that has nothing to do with the repository. */
const test = base.extend<{ folder: string }>({
  folder: async ({}, use) => {
    const folder = await mkdtemp(path.join(tmpdir(), "darkroom-"));
    await use(folder);
    await rm(folder, { recursive: true, force: true });
  },
});

const BOAT = ["generate", "a red sailing boat on a calm sea at sunset", "--seed", "7"];

test("the program paints from any folder, and the same command twice gives the same bytes", async ({ folder }) => {
  const begin = performance.now();
  await run(PROGRAM, [...BOAT, "-o", "boat.png"], { cwd: folder });
  console.log(`darkroom generate: ${((performance.now() - begin) / 1000).toFixed(1)} s from start to end`);
  await run(PROGRAM, [...BOAT, "-o", "again.png"], { cwd: folder });

  const boat = await readFile(path.join(folder, "boat.png"));
  expect(boat.equals(await readFile(path.join(folder, "again.png")))).toBe(true);
  const png = readPng(boat);
  expect([png.width, png.height]).toEqual([256, 256]);
  expect(png.text.get("parameters")).toContain("Seed: 7, Size: 256x256, Model: demo");
});

test("GPT-2 writes as many prompts as were asked for, and the same ones for the same seed", async ({ folder }) => {
  const write = async () => {
    const { stdout } = await run(PROGRAM, ["prompt", "--count", "20", "--seed", "1"], { cwd: folder });
    return stdout.trimEnd().split("\n");
  };
  const prompts = await write();
  expect(prompts).toHaveLength(20);
  expect(new Set(prompts).size).toBeGreaterThanOrEqual(19);
  expect(await write()).toEqual(prompts);
});

test("the demo models are listed and ready", async ({ folder }) => {
  const { stdout } = await run(PROGRAM, ["models", "list", "--data", folder], { cwd: folder });
  const rows = stdout.trimEnd().split("\n").map((row) => row.split(/\s{2,}/));
  expect(rows.slice(1).map((row) => [row[0], row.at(-1)])).toEqual([["demo", "ready"], ["demo-prompts", "ready"]]);
});

test("what is not allowed is refused in one sentence, with status 2", async ({ folder }) => {
  const refused = run(PROGRAM, ["generate", "a boat", "--steps", "151", "-o", "boat.png"], { cwd: folder });
  await expect(refused).rejects.toMatchObject({
    code: 2,
    stderr: "error: steps 151 is out of range; allowed are 1 to 150\n",
  });
});
