// What the pages about Slack read and do.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, read, type Schemas } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { toast } from "../../ui/toast";

export type Connection = Schemas["ChannelConnectionResponse"];
export type Channel = Schemas["SlackChannelResponse"];
export type Channels = Schemas["SlackChannelList"];
export type Choice = Schemas["SynchronisationBody"];

/** How often is looked while something is under way, and otherwise, in milliseconds. */
const SOON = 1_500;
const LATER = 30_000;

export function useConnections() {
  const { id, path } = useOrganization();
  return useQuery({
    queryKey: [id, "slack", "connections"],
    queryFn: () => read(api.GET("/api/v1/organizations/{organization_id}/channel-connections", { params: { path } })),
  });
}

export function useConnection(connection: string) {
  const { id, path } = useOrganization();
  return useQuery({
    queryKey: [id, "slack", "connection", connection],
    queryFn: () =>
      read(
        api.GET("/api/v1/organizations/{organization_id}/channel-connections/{channel_connection_id}", {
          params: { path: { ...path, channel_connection_id: connection } },
        }),
      ),
    refetchInterval: LATER,
  });
}

export function useChoice(connection: string) {
  const { id, path } = useOrganization();
  return useQuery({
    queryKey: [id, "slack", "choice", connection],
    queryFn: () => read(api.GET(SYNCHRONISATION, { params: { path: { ...path, channel_connection_id: connection } } })),
  });
}

const SYNCHRONISATION =
  "/api/v1/organizations/{organization_id}/channel-connections/{channel_connection_id}/synchronisation" as const;
export const CHANNELS =
  "/api/v1/organizations/{organization_id}/channel-connections/{channel_connection_id}/slack-channels" as const;

/** The channels with how far they have been read; looked at again and again while something is under way. */
export function useChannels(connection: string, enabled = true) {
  const { id, path } = useOrganization();
  return useQuery({
    queryKey: [id, "slack", "channels", connection],
    queryFn: () => read(api.GET(CHANNELS, { params: { path: { ...path, channel_connection_id: connection } } })),
    enabled,
    refetchInterval: ({ state }) => (state.data && !isUnderWay(state.data) ? LATER : SOON),
  });
}

/** Whether something of a workspace is still to be listed, read or made findable. */
export function isUnderWay(list: Channels): boolean {
  return (
    !list.listed_at ||
    list.messages_without_document > 0 ||
    list.documents_in_work > 0 ||
    list.items.some((channel) => channel.selected && !channel.complete_since && !channel.problem)
  );
}

/** Everything about a connection is read anew. */
export function useRefresh() {
  const { id } = useOrganization();
  const cache = useQueryClient();
  return () => cache.invalidateQueries({ queryKey: [id, "slack"] });
}

export function useChoose(connection: string) {
  const { path } = useOrganization();
  const refresh = useRefresh();
  return useMutation({
    mutationFn: (body: Choice) =>
      read(api.PUT(SYNCHRONISATION, { params: { path: { ...path, channel_connection_id: connection } }, body })),
    onSuccess: refresh,
  });
}

/** Sends the browser to Slack, to grant access; without a connection, through the server's app. */
export function useInstall() {
  const { path } = useOrganization();
  return useMutation({
    mutationFn: (connection: string | undefined) =>
      read(
        api.POST("/api/v1/organizations/{organization_id}/channel-connections/slack/installations", {
          params: { path },
          body: connection ? { channel_connection_id: connection } : {},
        }),
      ),
    onSuccess: ({ authorize_url }) => location.assign(authorize_url),
    onError: (error) => toast(sentence(error)),
  });
}

/** The app's manifest, which names the addresses of this connection. */
export function useManifest(connection: string, socketMode: boolean) {
  const { id, path } = useOrganization();
  return useQuery({
    queryKey: [id, "slack", "manifest", connection, socketMode],
    queryFn: () =>
      read(
        api.GET("/api/v1/organizations/{organization_id}/channel-connections/slack/manifest", {
          params: { path, query: { channel_connection_id: connection, socket_mode: socketMode } },
        }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** A knowledge base by its id, or a new one of this name. */
export function useBaseFor() {
  const { id, path } = useOrganization();
  const cache = useQueryClient();
  return async (chosen: string, name: string): Promise<string> => {
    if (chosen) return chosen;
    const made = await read(
      api.POST("/api/v1/organizations/{organization_id}/knowledge-bases", {
        params: { path },
        body: { name, description: "" },
      }),
    );
    await cache.invalidateQueries({ queryKey: [id, "bases"] });
    return made.id;
  };
}
