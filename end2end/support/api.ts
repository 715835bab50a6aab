import type { APIRequestContext } from "@playwright/test";
import { expect } from "@playwright/test";

/** A request for pictures; what is left out is the model's usual. */
export interface Asked {
  prompt: string;
  steps?: number;
  count?: number;
  seed?: number;
  width?: number;
  height?: number;
  [field: string]: unknown;
}

/** As much of a job as the tests look at. */
export interface Job {
  id: string;
  status: "queued" | "running" | "done" | "failed" | "cancelled";
  is_owner: boolean;
  request: {
    model: string;
    width: number;
    height: number;
    start?: { kind: string; id: string; strength: number };
    mask?: { id: string; feather: number };
    outpaint?: { left: number; top: number; right: number; bottom: number };
    [field: string]: unknown;
  };
  error?: string;
  progress?: { picture: number; n_pictures: number; step: number; n_steps: number };
  pictures: { id: string; prompt: string; width: number; height: number; favourite: boolean }[];
}

/** A job that runs long enough to do something about it: more than a thousand steps. */
export const LONG = { steps: 150, count: 8 };

/** A picture that is there at once, for tests that want many. */
export const QUICK = { steps: 1, width: 128, height: 128 };

/** Asks for pictures over HTTP, as the visitor whose browser `request` belongs to. */
export async function createJob(request: APIRequestContext, asked: Asked): Promise<Job> {
  const answer = await request.post("/api/v1/jobs", { data: asked });
  expect(answer.status(), await answer.text()).toBe(202);
  return (await answer.json()) as Job;
}

/** Shows a job to everybody who knows its address, such as a program that follows it beside the browser. */
export async function shareJob(request: APIRequestContext, id: string): Promise<void> {
  const answer = await request.post(`/api/v1/jobs/${id}/share`, { data: { shared: true } });
  expect(answer.status(), await answer.text()).toBe(200);
}

/** Where a job stands. */
export async function readJob(request: APIRequestContext, id: string): Promise<Job> {
  const answer = await request.get(`/api/v1/jobs/${id}`);
  expect(answer.status()).toBe(200);
  return (await answer.json()) as Job;
}

/** Waits until nothing more will happen to a job: its stream of events ends then. */
export async function finished(request: APIRequestContext, id: string): Promise<Job> {
  const answer = await request.get(`/api/v1/jobs/${id}/events`, { timeout: 240_000 });
  expect(answer.status()).toBe(200);
  return await readJob(request, id);
}

/** The visitor's pictures, newest first. */
export async function history(
  request: APIRequestContext,
): Promise<{ pictures: { id: string; prompt: string; job_id: string }[]; n_matches: number }> {
  const answer = await request.get("/api/v1/images?limit=100");
  expect(answer.status()).toBe(200);
  return await answer.json();
}
