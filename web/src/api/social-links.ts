import { queryOptions } from "@tanstack/react-query";
import { api, inside, read, type Schemas } from "./client";

export type SocialLink = Schemas["SocialLinkBody"];

/** The organisation's public profiles, which every page shows and seldom change. */
export function socialLinksQuery(organization: string) {
  return queryOptions({
    queryKey: [organization, "social-links"],
    queryFn: () =>
      read(api.GET("/api/v1/organizations/{organization_id}/social-links", { params: { path: inside(organization) } })),
    staleTime: 5 * 60_000,
  });
}
