import { useQuery } from "@tanstack/react-query";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";

/** Names of the people who act here; whoever left keeps a number. */
export function usePeople(): (user: string) => string {
  const { id, path, can } = useOrganization();
  const members = useQuery({
    queryKey: [id, "members", "names"],
    queryFn: () =>
      read(api.GET("/api/v1/organizations/{organization_id}/members", { params: { path, query: { limit: 200 } } })),
    enabled: can("member:read"),
    staleTime: 60_000,
  });
  const names = new Map(members.data?.items.map((member) => [member.user_id, member.name || member.email]));
  return (user) => names.get(user) ?? user.slice(0, 8);
}
