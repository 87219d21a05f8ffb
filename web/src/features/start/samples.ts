// The sample documents that also come with the command line: a company that does not exist, in a few languages.
import { api, inside, raw, read } from "../../api/client";

const files = import.meta.glob<string>("../../../../crates/amebo/demo/*.md", { query: "?raw", import: "default" });

/** Puts the samples into a knowledge base of their own and gives its id. What is there already is not put in twice. */
export async function loadSamples(
  organization: string,
  name: string,
  onSent: (count: number) => void,
): Promise<string> {
  const path = inside(organization);
  const bases = await read(
    api.GET("/api/v1/organizations/{organization_id}/knowledge-bases", { params: { path, query: { limit: 200 } } }),
  );
  const base =
    bases.items.find((known) => known.name === name) ??
    (await read(
      api.POST("/api/v1/organizations/{organization_id}/knowledge-bases", {
        params: { path },
        body: { name, description: "" },
      }),
    ));
  let sent = 0;
  for (const [file, load] of Object.entries(files)) {
    const title = file.split("/").at(-1) ?? file;
    await raw(
      `/api/v1/organizations/${organization}/knowledge-bases/${base.id}/documents/raw?name=${encodeURIComponent(title)}`,
      {
        method: "POST",
        headers: { "content-type": "application/octet-stream" },
        body: new Blob([await load()]),
      },
    );
    sent += 1;
    onSent(sent);
  }
  return base.id;
}
