// The one client of the API, typed by its description.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";
import { request } from "./session";

export type Schemas = components["schemas"];

export const api = createClient<paths>({ baseUrl: "", fetch: request });

/** The body of an answer; problems were thrown before. */
export async function read<T>(answer: Promise<{ data?: T }>): Promise<T> {
  return (await answer).data as T;
}

/** A request that is not JSON both ways: streams and files. */
export function raw(path: string, init: RequestInit = {}): Promise<Response> {
  return request(new Request(new URL(path, location.origin), init));
}

export function inside(organization: string) {
  return { organization_id: organization };
}
