import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useAccount } from "../api/account";
import { api, inside, read } from "../api/client";
import { Problem } from "../api/problem";
import { navigate, type Params } from "../lib/router";
import { Loaded } from "../ui/state";

/** A document under an address without an organisation, as citations outside the dashboard name it: the one that has it is gone to. */
export function DocumentAnywhere({ params }: { params: Params }) {
  const account = useAccount();
  const places = (account.data?.organizations ?? []).filter((place) => place.status === "active");
  const id = params.document ?? "";
  const found = useQuery({
    queryKey: ["document-anywhere", id],
    queryFn: async () => {
      let refusal: unknown;
      for (const place of places) {
        try {
          await read(
            api.GET("/api/v1/organizations/{organization_id}/documents/{document_id}", {
              params: { path: { ...inside(place.organization_id), document_id: id } },
            }),
          );
          return place.slug;
        } catch (error) {
          if (!(error instanceof Problem && error.status < 500 && error.status > 0)) throw error;
          refusal = error;
        }
      }
      throw refusal;
    },
    enabled: places.length > 0,
  });
  useEffect(() => {
    if (found.data) navigate(`/o/${found.data}/documents/${id}${location.search}`, { replace: true });
  }, [found.data, id]);
  return (
    <div className="page">
      <Loaded query={found}>{() => null}</Loaded>
    </div>
  );
}
