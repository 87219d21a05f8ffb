import { useQuery } from "@tanstack/react-query";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";

export type People = {
  /** A person's name; whoever left keeps a number. */
  nameOf: (user: string) => string;
  /** Those whom one may see, by name. */
  all: { id: string; name: string }[];
};

/** The people who act here. */
export function usePeople(): People {
  const { id, path, can } = useOrganization();
  const members = useQuery({
    queryKey: [id, "members", "names"],
    queryFn: () =>
      read(api.GET("/api/v1/organizations/{organization_id}/members", { params: { path, query: { limit: 200 } } })),
    enabled: can("member:read"),
    staleTime: 60_000,
  });
  const names = new Map(members.data?.items.map((member) => [member.user_id, member.name || member.email]));
  return {
    nameOf: (user) => names.get(user) ?? user.slice(0, 8),
    all: [...names].map(([id, name]) => ({ id, name })).sort((a, b) => a.name.localeCompare(b.name)),
  };
}
