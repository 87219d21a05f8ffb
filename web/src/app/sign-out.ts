import { api } from "../api/client";
import { expectSession } from "../api/session";

/** Ends the session on this device and forgets everything the page knows. */
export async function signOut() {
  expectSession(false);
  await api.POST("/api/v1/auth/sign-out").catch(() => undefined);
  location.assign("/sign-in");
}
