import { useQuery } from "@tanstack/react-query";
import { api, read } from "./client";
import { useOrganization } from "./organization";

/** The knowledge bases that the reader may see, archived ones too. */
export function useBases() {
  const { id, path } = useOrganization();
  return useQuery({
    queryKey: [id, "bases", "all"],
    queryFn: () =>
      read(
        api.GET("/api/v1/organizations/{organization_id}/knowledge-bases", { params: { path, query: { limit: 200 } } }),
      ),
  });
}
