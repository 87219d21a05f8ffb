import { useQuery } from "@tanstack/react-query";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";

/** The knowledge bases that questions can be asked of. */
export function useBases() {
  const { id, path } = useOrganization();
  return useQuery({
    queryKey: [id, "bases", "active"],
    queryFn: () =>
      read(
        api.GET("/api/v1/organizations/{organization_id}/knowledge-bases", { params: { path, query: { limit: 200 } } }),
      ),
    staleTime: 60_000,
  });
}
