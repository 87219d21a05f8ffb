// The embedding models that knowledge bases can be given, and moving to one of them.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, read, type Schemas } from "../../api/client";
import { useOrganization } from "../../api/organization";
import type { KnowledgeBase } from "./knowledge";

export type Model = Schemas["EmbeddingModelResponse"];

export function useModels(enabled = true) {
  const { id, path } = useOrganization();
  return useQuery({
    queryKey: [id, "embedding-models"],
    queryFn: () => read(api.GET("/api/v1/organizations/{organization_id}/embedding-models", { params: { path } })),
    enabled,
  });
}

/** Moves a knowledge base to another model, or back to the one it has. */
export function useMove(base: KnowledgeBase) {
  const { id, path } = useOrganization();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (model: string) =>
      read(
        api.PATCH("/api/v1/organizations/{organization_id}/knowledge-bases/{knowledge_base_id}", {
          params: { path: { ...path, knowledge_base_id: base.id } },
          body: { embedding_model: model },
        }),
      ),
    onSuccess: () => cache.invalidateQueries({ queryKey: [id, "bases"] }),
  });
}
