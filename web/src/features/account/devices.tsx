import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, read } from "../../api/client";
import { sentence } from "../../api/problem";
import { ago } from "../../lib/format";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Icon } from "../../ui/icon";
import { Loaded } from "../../ui/state";
import { toast } from "../../ui/toast";

/** Where one is signed in, and how to end it there. */
export function Devices() {
  const cache = useQueryClient();
  const devices = useQuery({ queryKey: ["devices"], queryFn: () => read(api.GET("/api/v1/me/devices")) });
  const signOut = useMutation({
    mutationFn: (device: string) =>
      read(api.DELETE("/api/v1/me/devices/{device_id}", { params: { path: { device_id: device } } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: ["devices"] }),
    onError: (error) => toast(sentence(error)),
  });
  return (
    <section className="card stack" aria-labelledby="devices">
      <h2 id="devices">{t("devices.title")}</h2>
      <Loaded query={devices} rows={2}>
        {({ items }) => (
          <ul className="plain-list">
            {items.map((device) => (
              <li key={device.id} className="row">
                <Icon name="device" />
                <span className="grow who">
                  <strong>{nameOf(device.user_agent)}</strong>
                  <span className="quiet small">
                    {device.address} · {t("devices.used", { when: ago(device.last_used_at) })}
                  </span>
                </span>
                {device.is_current ? (
                  <span className="tag accent">{t("devices.here")}</span>
                ) : (
                  <Button small onClick={() => signOut.mutate(device.id)}>
                    {t("devices.signOut")}
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </section>
  );
}

/** What a browser calls itself, shortly. */
export function nameOf(userAgent: string): string {
  const browsers: [RegExp, string][] = [
    [/Edg\//, "Edge"],
    [/Firefox\//, "Firefox"],
    [/(HeadlessChrome|Chrome|Chromium)\//, "Chrome"],
    [/Safari\//, "Safari"],
  ];
  const systems: [RegExp, string][] = [
    [/iPhone|iPad/, "iOS"],
    [/Android/, "Android"],
    [/Windows/, "Windows"],
    [/Mac OS X/, "macOS"],
    [/Linux/, "Linux"],
  ];
  const named = (list: [RegExp, string][]) => list.find(([pattern]) => pattern.test(userAgent))?.[1];
  return [named(browsers), named(systems)].filter(Boolean).join(" · ") || userAgent || t("devices.unknown");
}
