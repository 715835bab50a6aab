import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The program under test: `cargo xtask test` names it; otherwise it is where `cargo xtask build` puts it. */
export const PROGRAM =
  process.env["DARKROOM"] ??
  path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../target/release/darkroom");

const STARTED = /listening on (http:\/\/\S+)/;

const OPERATOR = /operator\.url="(http:\/\/[^"]+)"/g;

/** One running program with a data folder of its own. */
export class Darkroom {
  #child: ChildProcess | undefined;
  #log = "";

  private constructor(
    readonly data: string,
    /** Where it answers, without a slash at the end. Another port after every start. */
    public url: string,
    private readonly more: readonly string[],
  ) {}

  /** Starts it with an empty data folder, on a port that is free, with more flags than every test's. */
  static async start(more: readonly string[] = []): Promise<Darkroom> {
    if (!existsSync(PROGRAM)) {
      throw new Error(`${PROGRAM} is missing; cargo xtask build --release makes it`);
    }
    const darkroom = new Darkroom(await mkdtemp(path.join(tmpdir(), "darkroom-")), "", more);
    await darkroom.startAgain();
    return darkroom;
  }

  /** Starts it once more on the same data folder, after it was stopped or killed. */
  async startAgain(port = 0): Promise<void> {
    // From a folder that has nothing to do with the repository: the program carries all it needs.
    // Tests ask for the same pictures again and want to see them made.
    const addresses = ["--addr", `127.0.0.1:${port}`, "--operator-addr", "127.0.0.1:0"];
    const flags = ["serve", ...addresses, "--data", this.data, "--no-cache", ...this.more];
    const child = spawn(PROGRAM, flags, {
      cwd: this.data,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    const logBefore = this.#log.length;
    this.url = await new Promise((resolve, reject) => {
      const hear = (chunk: Buffer) => {
        this.#log += chunk.toString();
        const started = STARTED.exec(this.#log.slice(logBefore));
        if (started?.[1]) resolve(started[1].replace(/\/$/, ""));
      };
      child.stdout.on("data", hear);
      child.stderr.on("data", hear);
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`the program ended with ${code}:\n${this.#log}`)));
    });
  }

  /** What the program has written since its first start. */
  get log(): string {
    return this.#log;
  }

  /** Where the operator looks, once the log has told. Another port after every start. */
  get operatorUrl(): string | undefined {
    return [...this.#log.matchAll(OPERATOR)].at(-1)?.[1];
  }

  /** The port it listens on. */
  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Ends it as a crash would: at once, with nothing put in order. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Ends it as an operator would, and says with which code it went: 0 if it does not run any more. */
  async stop(): Promise<number | null> {
    return await this.#end("SIGTERM");
  }

  /** Ends it if it still runs, and takes its data away. */
  async remove(): Promise<void> {
    await this.kill();
    await rm(this.data, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return 0;
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    return await new Promise((resolve) => {
      child.once("exit", resolve);
      child.kill(signal);
    });
  }
}
