// Files on their way to the server, with how far they are: `fetch` cannot tell how much of a body is sent.
import { raw } from "./client";
import { problemOf, unreachable } from "./problem";

type Sending = {
  /** Told how many bytes are sent. */
  onSent: (bytes: number) => void;
  type?: string;
};

/** Sends a file as the body of a request. A session that ended is renewed, and a full queue waited for. */
export async function sendFile(path: string, file: File, sending: Sending): Promise<Response> {
  for (let renewed = false; ; ) {
    const response = await transfer(path, file, sending);
    if (response.status === 401 && !renewed) {
      // Any read renews the session, or asks for the password.
      await raw("/api/v1/me");
      renewed = true;
      continue;
    }
    if (response.status === 429) {
      const seconds = Number(response.headers.get("retry-after") ?? "5");
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      continue;
    }
    if (!response.ok) throw await problemOf(response);
    return response;
  }
}

function transfer(path: string, file: File, { onSent, type }: Sending): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("content-type", type ?? "application/octet-stream");
    const csrf = document.cookie.split("; ").find((cookie) => cookie.startsWith("amebo_csrf="));
    request.setRequestHeader("x-csrf-token", csrf?.slice("amebo_csrf=".length) ?? "");
    request.upload.onprogress = (event) => onSent(event.loaded);
    request.onerror = () => reject(unreachable());
    request.onload = () => {
      const after = request.getResponseHeader("retry-after");
      resolve(
        new Response(request.responseText, { status: request.status, headers: after ? { "retry-after": after } : {} }),
      );
    };
    request.send(file);
  });
}
