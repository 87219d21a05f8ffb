import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, read, type Schemas } from "./client";

export type Account = Schemas["AccountResponse"];
export type Membership = Schemas["MembershipResponse"];

export const accountQuery = queryOptions({
  queryKey: ["account"],
  queryFn: () => read(api.GET("/api/v1/me")),
  staleTime: 60_000,
});

export function useAccount() {
  return useQuery(accountQuery);
}
