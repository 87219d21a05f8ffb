// A real server with its own PostgreSQL, in a directory that is thrown away, once for a file of journeys.
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type Server = {
  /** Where it answers, without a slash at the end. */
  url: string;
  /** Signs the first administrator in, once. */
  link: string;
  /** Its data directory. */
  data: string;
  stop: () => Promise<void>;
};

let nextPort = 8720;

type Setup = {
  /** More of the configuration, as environment variables. */
  settings?: Record<string, string>;
  /** Whether it has an embedding model; words alone find things otherwise. */
  hasModels?: boolean;
};

/** Starts the executable under test and waits until it prints its address and the first sign-in link. */
export async function startServer({ settings = {}, hasModels = true }: Setup = {}): Promise<Server> {
  const binary = process.env.AMEBO_BINARY ?? "../target/debug/amebo";
  const data = mkdtempSync(join(tmpdir(), "amebo-journey-"));
  // PostgreSQL may run under an account of its own, which has to get in.
  chmodSync(data, 0o711);
  const models = process.env.AMEBO_TEST_MODELS;
  for (const part of ["models", "lib"]) {
    if (hasModels && models && existsSync(join(models, part))) symlinkSync(join(models, part), join(data, part));
  }
  nextPort += 1;
  const port = nextPort + (process.pid % 200) * 10;
  const child = spawn(binary, ["serve", "--data", data, "--listen", `127.0.0.1:${port}`], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...settings },
  });
  const link = await firstLink(child);
  return {
    url: `http://127.0.0.1:${port}`,
    link,
    data,
    stop: async () => {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
      rmSync(data, { recursive: true, force: true });
    },
  };
}

function firstLink(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    const read = (part: Buffer) => {
      output += part.toString();
      const link = /http:\/\/\S+\/sign-in#token=\S+/.exec(output)?.[0];
      if (link) resolve(link);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}:\n${output}`)));
  });
}
