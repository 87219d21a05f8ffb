// What no page can bring about: told to the server's own PostgreSQL.
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { expect } from "@playwright/test";

/** Runs a statement in the database of the server whose data directory this is, as its owner. */
export function execute(data: string, statement: string) {
  const cluster = join(data, "postgres");
  const { uid, gid } = statSync(cluster);
  const isOwn = userInfo().uid === uid;
  const name = isOwn ? userInfo().username : "postgres";
  const done = spawnSync(
    "psql",
    ["-h", join(cluster, "socket"), "-U", name, "-d", "amebo", "-v", "ON_ERROR_STOP=1", "-c", statement],
    { ...(isOwn ? {} : { uid, gid }), encoding: "utf8" },
  );
  expect(done.status, done.stderr).toBe(0);
}
