// The organisation that the address names, and what the person may do there.
import { queryOptions, useQuery } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext } from "react";
import { t } from "../lib/text";
import type { Membership } from "./account";
import { api, inside, read, type Schemas } from "./client";

export type Organization = Schemas["OrganizationResponse"];

type Place = { id: string; slug: string; name: string; memberId: string; details: Organization };

const Context = createContext<Place | null>(null);

type ProviderProps = {
  membership: Membership;
  /** What stands in its place until the organisation is known. */
  waiting: ReactNode;
  /** What stands there when it cannot be read. */
  failed: (error: unknown, retry: () => void) => ReactNode;
  children: ReactNode;
};

export function OrganizationProvider({ membership, waiting, failed, children }: ProviderProps) {
  const { data, error, refetch } = useQuery(organizationQuery(membership.organization_id));
  if (!data) return error ? failed(error, refetch) : waiting;
  const place = {
    id: membership.organization_id,
    slug: membership.slug,
    name: membership.name,
    memberId: membership.member_id,
    details: data,
  };
  return <Context value={place}>{children}</Context>;
}

export function organizationQuery(id: string) {
  return queryOptions({
    queryKey: [id, "organization"],
    queryFn: () => read(api.GET("/api/v1/organizations/{organization_id}", { params: { path: inside(id) } })),
    staleTime: 60_000,
  });
}

/** Where one is: ids, addresses, permissions. */
export function useOrganization() {
  const place = useContext(Context);
  if (!place) throw new Error("this page belongs into an organization");
  const permissions = new Set(place.details.your_permissions);
  const can = (permission: string) => permissions.has(permission);
  return {
    ...place,
    can,
    /** Why something cannot be done; undefined when it can. */
    cannot: (permission: string) => (can(permission) ? undefined : t("state.notAllowed")),
    /** The address of a page inside. */
    at: (path: string) => `/o/${place.slug}${path}`,
    path: inside(place.id),
  };
}
