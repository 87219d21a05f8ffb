import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type CSSProperties, useState } from "react";
import { api, read } from "../../api/client";
import { organizationQuery, useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { TextField } from "../../ui/field";
import { Notice } from "../../ui/state";
import { toast } from "../../ui/toast";
import { UsageCard } from "../../ui/usage";
import { Logo } from "./logo";
import { SocialLinks } from "./social-links";

const ROUTE = "/api/v1/organizations/{organization_id}" as const;

export function OrganizationSettings() {
  return (
    <div className="stack loose narrow-column">
      <Name />
      <Logo />
      <Colour />
      <SocialLinks />
      <UsageCard />
      <Leaving />
    </div>
  );
}

function Name() {
  const { id, path, details, can } = useOrganization();
  const cache = useQueryClient();
  const save = useMutation({
    mutationFn: (name: string) => read(api.PATCH(ROUTE, { params: { path }, body: { name } })),
    onSuccess: (organization) => {
      cache.setQueryData([id, "organization"], organization);
      toast(t("action.saved"));
      return cache.invalidateQueries({ queryKey: ["account"] });
    },
  });
  const refused = can("organization:update") ? undefined : t("state.notAllowed");
  return (
    <form
      className="card stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (!refused) save.mutate(String(new FormData(event.currentTarget).get("name")));
      }}
    >
      <h2>{t("settings.organization")}</h2>
      <TextField
        label={t("field.name")}
        name="name"
        defaultValue={details.name}
        readOnly={refused !== undefined}
        required
        maxLength={200}
        wrong={save.error ? sentence(save.error) : undefined}
      />
      <p className="quiet small">{t("settings.address", { address: `${location.origin}/o/${details.slug}` })}</p>
      <div className="row end">
        <Button kind="primary" type="submit" busy={save.isPending} disabledBecause={refused}>
          {t("action.save")}
        </Button>
      </div>
    </form>
  );
}

/** Hues that look well, Amebo's own first. */
const HUES = [168, 220, 265, 305, 350, 25, 60, 110] as const;

/** The organisation's colour. Lightness belongs to the theme, so every hue can be read. */
function Colour() {
  const { id, path, details, can } = useOrganization();
  const cache = useQueryClient();
  // The mutation says what it holds only after the click has been handled, when the mark would have jumped back.
  const [chosen, setChosen] = useState<number>();
  const now = chosen ?? details.accent_hue ?? HUES[0];
  const save = useMutation({
    // One after the other, or the colour chosen last need not be the one that stays.
    scope: { id: "colour" },
    mutationFn: (hue: number) => read(api.PATCH(ROUTE, { params: { path }, body: { accent_hue: hue } })),
    // It shows at once, and goes back if it does not hold.
    onMutate: (hue) => {
      cache.setQueryData(organizationQuery(id).queryKey, (old) => old && { ...old, accent_hue: hue });
      return details.accent_hue;
    },
    onSuccess: (organization) => cache.setQueryData([id, "organization"], organization),
    onError: (error, _, before) => {
      cache.setQueryData(organizationQuery(id).queryKey, (old) => old && { ...old, accent_hue: before ?? null });
      toast(sentence(error));
    },
    onSettled: (_, __, hue) => setChosen((last) => (last === hue ? undefined : last)),
  });
  const refused = can("organization:update") ? undefined : t("state.notAllowed");
  return (
    <section className="card stack tight" aria-labelledby="colour">
      <h2 id="colour">{t("settings.colour")}</h2>
      <p className="quiet small">{t("settings.colourHow")}</p>
      <fieldset className="swatches" aria-labelledby="colour">
        {HUES.map((hue) => (
          <label key={hue} style={{ "--accent-hue": hue } as CSSProperties} title={refused ?? t(`settings.hue.${hue}`)}>
            <input
              type="radio"
              name="hue"
              checked={now === hue}
              disabled={refused !== undefined}
              aria-label={t(`settings.hue.${hue}`)}
              onChange={() => {
                setChosen(hue);
                save.mutate(hue);
              }}
            />
          </label>
        ))}
      </fieldset>
    </section>
  );
}

function Leaving() {
  const { path, details, cannot } = useOrganization();
  const [open, setOpen] = useState<"leave" | "delete">();
  const [typed, setTyped] = useState("");
  const act = useMutation({
    mutationFn: async () => {
      if (open === "leave") await read(api.POST("/api/v1/organizations/{organization_id}/leave", { params: { path } }));
      else await read(api.DELETE(ROUTE, { params: { path } }));
    },
    onSuccess: () => location.assign("/"),
  });
  const isDelete = open === "delete";
  const title = isDelete ? t("settings.delete") : t("settings.leave");
  return (
    <section className="card stack" aria-labelledby="end">
      <h2 id="end">{t("settings.end")}</h2>
      <div className="row">
        <Button onClick={() => setOpen("leave")}>{t("settings.leave")}</Button>
        <Button kind="danger" disabledBecause={cannot("organization:delete")} onClick={() => setOpen("delete")}>
          {t("settings.delete")}
        </Button>
      </div>
      {open && (
        <Dialog title={title} onClose={() => setOpen(undefined)}>
          <p>{isDelete ? t("settings.deleteHow") : t("settings.leaveHow")}</p>
          {isDelete && (
            <TextField
              label={t("settings.typeName", { name: details.name })}
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
              autoComplete="off"
            />
          )}
          {act.error && <Notice kind="bad">{sentence(act.error)}</Notice>}
          <div className="row end">
            <Button onClick={() => setOpen(undefined)}>{t("action.cancel")}</Button>
            <Button
              kind="danger"
              className="primary"
              busy={act.isPending}
              disabledBecause={isDelete && typed !== details.name ? t("settings.typeFirst") : undefined}
              onClick={() => act.mutate()}
            >
              {title}
            </Button>
          </div>
        </Dialog>
      )}
    </section>
  );
}
